import type { SignatureHash } from '#crypto/dsse.ts';
import { readPublicKey } from '#crypto/keys.ts';
import { readLogKey } from '#crypto/log-key.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { splitTimestampAuthority } from '#crypto/timestamp-authority.ts';
import { AppError } from '#model/errors.ts';
import type { Attestor, WitnessTrust } from '#verification/attestor.ts';

/** The witnesses of an attestor as a policy of the field writes them, in PEM. */
export interface WitnessSource {
  readonly transparencyLog: 'required' | 'ignored';
  /** Public key of the transparency log; absent: the public instance's. */
  readonly logKey?: string;
  readonly certificateTimestamp: 'required' | 'ignored';
  /** Public key of the certificate log; absent: the public instance's. */
  readonly certificateLogKey?: string;
  /** Chain of a timestamp authority. */
  readonly timestampAuthority?: string;
}

/**
 * One public key.
 * @throws AppError with the `field` that cannot be read: `key`, or one of `WitnessSource`.
 */
export function compatKey(pem: string, hash: SignatureHash, witnesses: WitnessSource): Attestor {
  const key = readable('key', () => readPublicKey(pem));
  return { kind: 'public-key', key, hash, profile: 'compat', ...witnessTrust(witnesses) };
}

/**
 * The key of one certificate, of which nothing else counts: neither its validity nor its issuer (interop specification
 * B.5).
 * @throws AppError with the `field` that cannot be read.
 */
export function compatCertificate(pem: string, hash: SignatureHash, witnesses: WitnessSource): Attestor {
  const [leaf] = readable('key', () => parseCertificates(pem));
  if (!leaf) throw new AppError('certificate-unreadable', 'there is no certificate', { field: 'key' });
  return { kind: 'public-key', key: leaf.publicKey, hash, profile: 'compat', ...witnessTrust(witnesses) };
}

/**
 * A CA of which every certificate in the text is an anchor, intermediates too.
 * @throws AppError with the `field` that cannot be read: `anchors`, or one of `WitnessSource`.
 */
export function compatAuthority(pem: string, witnesses: WitnessSource): Attestor {
  const { certificateLogKey } = witnesses;
  return {
    kind: 'certificate-chain',
    authorities: [{ anchors: readable('anchors', () => parseCertificates(pem)), intermediates: [] }],
    profile: 'compat',
    certificateTimestamp: witnesses.certificateTimestamp,
    ...(certificateLogKey
      ? { certificateLogKeys: [readable('certificateLogKey', () => readLogKey(certificateLogKey))] }
      : {}),
    ...witnessTrust(witnesses),
  };
}

function witnessTrust({ transparencyLog, logKey, timestampAuthority }: WitnessSource): WitnessTrust {
  return {
    transparencyLog,
    ...(logKey ? { logKeys: [readable('logKey', () => readLogKey(logKey))] } : {}),
    ...(timestampAuthority
      ? { timestampAuthorities: [readable('timestampAuthority', () => splitTimestampAuthority(timestampAuthority))] }
      : {}),
  };
}

function readable<Result>(field: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, mend } = error;
    throw new AppError(code, message, { field, ...(mend === undefined ? {} : { mend }), cause: error });
  }
}
