import { decodeBase64 } from '#crypto/base64.ts';
import type { Certificate } from '#crypto/certificate.ts';
import { hasCertificateTimestamp, verifyCertificateTimestamps } from '#crypto/certificate-timestamp.ts';
import type { LogKey } from '#crypto/log-key.ts';
import { AppError } from '#model/errors.ts';
import type { DefectCode, EvidenceDefect, RawEvidence } from '#model/evidence.ts';
import { COSIGN_RFC3161 } from '#model/media-types.ts';
import type { WitnessTrust } from '#verification/attestor.ts';
import { type LoggedSignature, logEntryText, verifyLogEntry } from '#verification/log-entry.ts';
import type { Profile } from '#verification/statement.ts';
import { anyTimestamp } from '#verification/timestamps.ts';

/** What a witness comes to: a time that it vouches for, a defect, or that nobody here can check it yet. */
export type WitnessCheck =
  | { readonly kind: 'not-required' }
  | {
      readonly kind: 'verified';
      readonly source: 'log' | 'authority' | 'certificate-log';
      /** When the signature was made, on the witness's word. */
      readonly time?: Date;
      /** A time that stands beside its word, and must not contradict it. */
      readonly claimed?: Date;
    }
  | { readonly kind: 'defect'; readonly defect: EvidenceDefect }
  | { readonly kind: 'unsupported'; readonly what: string };

/** A transparency log entry, as an annotation of the layer. */
export function checkLogEntry(
  raw: RawEvidence,
  { transparencyLog, logKeys }: WitnessTrust,
  logged: LoggedSignature,
  profile: Profile,
): WitnessCheck {
  if (transparencyLog === 'ignored') return { kind: 'not-required' };
  const annotation = logEntryText(raw);
  if (annotation === undefined && transparencyLog === 'optional') return { kind: 'not-required' };
  if (annotation === undefined) {
    return bad('log-entry-missing', 'The layer has no transparency log entry (annotation dev.sigstore.cosign/bundle).');
  }
  // Without the log's key the parts that need none are judged all the same: they may settle it.
  const check = verifyLogEntry(annotation, logged, logKeys ?? [], profile);
  if (check.kind === 'verified') return { kind: 'verified', source: 'log', time: check.integratedTime };
  if (transparencyLog === 'optional' && check.kind === 'unknown-log') return { kind: 'not-required' };
  const problem = check.kind === 'missing' ? 'it is missing' : check.problem;
  if (!logKeys && check.kind === 'unknown-log') {
    return { kind: 'unsupported', what: "verifying a transparency log entry with the public instance's keys" };
  }
  return bad('log-entry-invalid', `The transparency log entry does not hold: ${problem}.`);
}

/** A certificate timestamp, embedded in the certificate. `issuer` is the one above the leaf in its path. */
export function checkCertificateTimestamp(
  leaf: Certificate,
  issuer: Certificate | undefined,
  wanted: 'required' | 'ignored',
  logs: readonly LogKey[] | undefined,
  demand: 'every' | 'one',
): WitnessCheck {
  if (wanted === 'ignored') return { kind: 'not-required' };
  if (!hasCertificateTimestamp(leaf)) return noCertificateTimestamp();
  if (!logs) {
    return { kind: 'unsupported', what: "verifying a certificate timestamp with the public instance's keys" };
  }
  const check = verifyCertificateTimestamps(leaf, issuer, logs, demand);
  switch (check.kind) {
    case 'verified':
      return { kind: 'verified', source: 'certificate-log' };
    case 'missing':
      return noCertificateTimestamp();
    case 'invalid':
      return bad('sct-invalid', `The signed certificate timestamp does not hold: ${check.problem}.`);
  }
}

/**
 * A timestamp of an authority, as an annotation of the layer, over `stamped`. One that is there must hold; that none is
 * there is no defect (interop specification B.5).
 */
export function checkTimestamp(
  { descriptor }: RawEvidence,
  { timestampAuthorities, profile }: WitnessTrust & { readonly profile: Profile },
  stamped: readonly Uint8Array[],
  now: Date,
): WitnessCheck {
  const annotation = descriptor.annotations?.[COSIGN_RFC3161];
  if (!timestampAuthorities || !annotation) return { kind: 'not-required' };
  const response = responseOf(annotation);
  if (!response) return bad('timestamp-invalid', 'The timestamp annotation holds no response of an authority.');
  const check = anyTimestamp(response, stamped, timestampAuthorities, { now, profile });
  if (check.ok) return { kind: 'verified', source: 'authority', time: check.time };
  return bad('timestamp-invalid', `The timestamp does not hold: ${check.problem}.`);
}

/** Evidence that is good but for a witness that we cannot check is neither held nor bad. */
export function unsupportedWitness(what: string): AppError {
  return new AppError('policy-unsupported', `${what} is not supported yet`, {
    mend: 'judge this image with the tool that the policy is written for, or do not require the log',
  });
}

function responseOf(annotation: string): Uint8Array | undefined {
  try {
    const json: unknown = JSON.parse(annotation);
    if (typeof json !== 'object' || json === null) return undefined;
    const text: unknown = Reflect.get(json, 'SignedRFC3161Timestamp');
    return typeof text === 'string' ? decodeBase64(text)?.bytes : undefined;
  } catch {
    return undefined;
  }
}

function noCertificateTimestamp(): WitnessCheck {
  return bad('sct-missing', 'The certificate has no embedded signed certificate timestamp.');
}

/** A witness that is there and does not hold, or is not there and must be. */
export function bad(code: DefectCode, message: string): WitnessCheck {
  return { kind: 'defect', defect: { code, message } };
}
