import { createHash, type KeyObject } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import { verifyPath } from '#crypto/path.ts';
import { validityDefect } from '#crypto/path-rules.ts';
import { type Digest, digestHex, sha256 } from '#model/digest.ts';
import type { DefectCode, Evidence, EvidenceDefect, EvidenceSigner, RawEvidence, Statement } from '#model/evidence.ts';
import { COSIGN_CERTIFICATE, COSIGN_SIGNATURE } from '#model/media-types.ts';
import type { Attestor } from '#verification/attestor.ts';
import { annotatedCertificates } from '#verification/certificate-annotations.ts';
import { certificateSigner, identitiesOf, keySigner } from '#verification/evidence-signer.ts';
import { parseStatement } from '#verification/statement.ts';
import { isSignedBy, openEnvelope } from '#verification/verify-envelope.ts';
import {
  checkCertificateTimestamp,
  checkLogEntry,
  unsupportedWitness,
  type WitnessCheck,
} from '#verification/witness.ts';

export interface VerificationContext {
  /** The image's digest: what the statement must be about. */
  readonly digest: Digest;
  readonly attestor: Attestor;
  /** The time that counts for evidence without a trusted time of its own. */
  readonly now: Date;
}

/** The key that must have signed, and what else is known of who holds it. */
interface Claim {
  readonly key: KeyObject;
  readonly signer: EvidenceSigner;
  /** Leaf first, anchor last; empty for a plain key. */
  readonly chain: readonly Certificate[];
}

type Step<Result> =
  | { readonly ok: true; readonly value: Result }
  | { readonly ok: false; readonly defect: EvidenceDefect; readonly signer?: EvidenceSigner };

/**
 * Judges one stored piece of evidence under one attestor: envelope, certificate path, signature, witnesses, validity,
 * statement, subject. What is bad is a defect in `held`; the first one found. A statement is given only when its
 * signature was verified under the attestor.
 * @throws AppError `policy-unsupported` for evidence that is good but for a log entry or certificate timestamp that the
 * attestor requires, is there, and cannot be checked yet.
 */
export function verifyEvidence(raw: RawEvidence, context: VerificationContext): Evidence {
  const { attestor } = context;
  const bytes = soundBytes(raw, attestor);
  if (!bytes.ok) return { raw, held: bytes.defect };
  const opened = openEnvelope(bytes.value, attestor.profile);
  if (!opened.ok) return { raw, held: opened.defect };
  const claim = claimOf(raw, context);
  if (!claim.ok) return { raw, ...(claim.signer ? { signer: claim.signer } : {}), held: claim.defect };
  const { signer, key, chain } = claim.value;
  if (!isSignedBy(opened.envelope, key, attestor.profile)) {
    return { raw, signer, held: defect('signature-invalid', 'No signature of the envelope verifies with the key.') };
  }
  const { payload } = opened.envelope;
  const reading = parseStatement(payload, attestor.profile);
  const witnesses = [checkLogEntry(raw, attestor.transparencyLog), ...timestampChecks(attestor, chain)];
  const held =
    witnessDefect(witnesses) ??
    // The time of a log entry would take the place of now.
    (witnesses.some(({ kind }) => kind === 'unsupported') ? undefined : expiryDefect(raw, claim.value, context)) ??
    (reading.ok ? subjectDefect(reading.statement, context.digest) : reading.defect);
  if (held === undefined) refuseUnsupported(witnesses);
  return {
    raw,
    signer,
    payloadDigest: sha256(payload),
    ...(reading.ok ? { statement: reading.statement } : {}),
    held: held ?? true,
  };
}

function soundBytes(raw: RawEvidence, { profile }: Attestor): Step<Uint8Array> {
  const { bytes, descriptor } = raw;
  if (!bytes) return fail('blob-missing', `The manifest lists ${descriptor.digest} and the registry does not hold it.`);
  const algorithm = descriptor.digest.slice(0, descriptor.digest.indexOf(':'));
  if (createHash(algorithm).update(bytes).digest('hex') !== digestHex(descriptor.digest)) {
    return fail('blob-digest', `The bytes do not hash to ${descriptor.digest}.`);
  }
  // Kyverno's reader errs without the key, though its value is empty for attestations.
  if (profile === 'compat' && descriptor.annotations?.[COSIGN_SIGNATURE] === undefined) {
    return fail('signature-missing', `The layer lacks the annotation ${COSIGN_SIGNATURE}.`);
  }
  return { ok: true, value: bytes };
}

function claimOf(raw: RawEvidence, { attestor, now }: VerificationContext): Step<Claim> {
  switch (attestor.kind) {
    case 'public-key':
      return { ok: true, value: { key: attestor.key, signer: keySigner(attestor.key), chain: [] } };
    case 'certificate-chain': {
      const found = annotatedCertificates(raw, attestor.profile);
      if (!found.ok) return found;
      const { leaf } = found;
      const signer = certificateSigner(leaf);
      const path = verifyPath({
        leaf,
        anchors: attestor.anchors,
        intermediates: [...attestor.intermediates, ...found.intermediates],
        // Kyverno builds the path at the time when the leaf begins, and looks at today afterwards.
        at: attestor.profile === 'compat' ? leaf.notBefore : now,
        profile: attestor.profile,
      });
      if (!path.ok) return { ok: false, defect: path.defect, signer };
      if (attestor.identity !== undefined && !identitiesOf(leaf).includes(attestor.identity)) {
        const names = identitiesOf(leaf).join(', ') || 'nobody';
        const message = `The certificate names ${names}, not ${attestor.identity}.`;
        return { ok: false, defect: defect('identity-mismatch', message), signer };
      }
      return { ok: true, value: { key: leaf.publicKey, signer, chain: path.chain } };
    }
  }
}

function timestampChecks(attestor: Attestor, [leaf]: readonly Certificate[]): readonly WitnessCheck[] {
  if (attestor.kind === 'public-key' || !leaf) return [];
  return [checkCertificateTimestamp(leaf, attestor.certificateTimestamp)];
}

function witnessDefect(witnesses: readonly WitnessCheck[]): EvidenceDefect | undefined {
  for (const witness of witnesses) if (witness.kind === 'defect') return witness.defect;
  return undefined;
}

function refuseUnsupported(witnesses: readonly WitnessCheck[]): void {
  for (const witness of witnesses) if (witness.kind === 'unsupported') throw unsupportedWitness(witness.what);
}

/** The leaf and every certificate of the path must be valid now (interop specification B.5, K.4, 60). */
function expiryDefect(
  raw: RawEvidence,
  { chain }: Claim,
  { attestor, now }: VerificationContext,
): EvidenceDefect | undefined {
  const certificates = attestor.kind === 'public-key' ? keyHolder(raw, attestor) : chain;
  for (const [index, certificate] of certificates.entries()) {
    const expired = validityDefect(certificate, index, now);
    if (expired) return expired;
  }
  return undefined;
}

/** The validity of a certificate annotation counts under a plain key too, as in Kyverno; nothing else of it does. */
function keyHolder(raw: RawEvidence, { profile }: Attestor): readonly Certificate[] {
  if ((raw.descriptor.annotations?.[COSIGN_CERTIFICATE] ?? '').trim() === '') return [];
  const found = annotatedCertificates(raw, profile);
  return found.ok ? [found.leaf] : [];
}

/** One subject with the image's digest is enough; the hex is compared as written (interop specification I.1). */
export function subjectDefect(statement: Statement, digest: Digest): EvidenceDefect | undefined {
  const algorithm = digest.slice(0, digest.indexOf(':'));
  const about = statement.subject.map((subject) =>
    Object.hasOwn(subject.digest, algorithm) ? subject.digest[algorithm] : undefined,
  );
  if (about.includes(digestHex(digest))) return undefined;
  const named = about.flatMap((hex) => (hex === undefined ? [] : [`${algorithm}:${hex.slice(0, 80)}`])).slice(0, 3);
  return defect('subject-mismatch', `The statement is about ${named.join(', ') || 'no such digest'}, not ${digest}.`);
}

function defect(code: DefectCode, message: string): EvidenceDefect {
  return { code, message };
}

function fail(code: DefectCode, message: string): { ok: false; defect: EvidenceDefect } {
  return { ok: false, defect: defect(code, message) };
}
