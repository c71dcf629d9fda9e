import { createHash } from 'node:crypto';
import { validityDefect } from '#crypto/path-rules.ts';
import { type Digest, digestHex, sha256 } from '#model/digest.ts';
import type { DefectCode, Evidence, EvidenceDefect, RawEvidence } from '#model/evidence.ts';
import { COSIGN_SIGNATURE } from '#model/media-types.ts';
import type { Attestor } from '#verification/attestor.ts';
import { certificateClaims } from '#verification/certificate-claims.ts';
import type { LoggedSignature } from '#verification/log-entry.ts';
import { openContent, type SignedContent } from '#verification/signed-content.ts';
import { claimSigner, type SignerClaim } from '#verification/signer-claim.ts';
import {
  checkCertificateTimestamp,
  checkLogEntry,
  checkTimestamp,
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

/**
 * Judges one stored piece of evidence under one attestor: form, certificate path, signature, witnesses, validity,
 * content, subject. What is bad is a defect in `held`; the first one found. A statement is given only when its
 * signature was verified under the attestor.
 * @throws AppError `policy-unsupported` for evidence that is good but for a log entry or certificate timestamp that the
 * attestor requires, is there, and cannot be checked yet.
 */
export function verifyEvidence(raw: RawEvidence, context: VerificationContext): Evidence {
  const { attestor, digest, now } = context;
  const bytes = soundBytes(raw, attestor);
  if (!bytes.ok) return { raw, held: bytes.defect };
  const opened = openContent(raw, bytes.value, attestor.profile);
  if (!opened.ok) return { raw, held: opened.defect };
  const { content } = opened;
  const claimed = claimSigner(raw, attestor, now);
  if (!claimed.ok) return { raw, ...(claimed.signer ? { signer: claimed.signer } : {}), held: claimed.defect };
  const { claim } = claimed;
  const hash = attestor.kind === 'public-key' ? attestor.hash : undefined;
  if (!content.isSignedBy(claim.key, hash)) {
    return { raw, signer: claim.signer, held: defect('signature-invalid', 'No signature verifies with the key.') };
  }
  const witnesses = witnessesOf(raw, content, claim, context);
  const { defect: contentDefect, ...said } = content.read(digest);
  const held = witnessDefect(witnesses) ?? expiryDefect(witnesses, claim, now) ?? contentDefect;
  if (held === undefined) refuseUnsupported(witnesses);
  return {
    raw,
    signer: claim.signer,
    ...(claim.leaf ? { claims: certificateClaims(claim.leaf) } : {}),
    payloadDigest: sha256(content.payload),
    ...said,
    held: held ?? true,
  };
}

function soundBytes(
  raw: RawEvidence,
  { profile }: Attestor,
): { readonly ok: true; readonly value: Uint8Array } | { readonly ok: false; readonly defect: EvidenceDefect } {
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

function witnessesOf(
  raw: RawEvidence,
  content: SignedContent,
  claim: SignerClaim,
  { attestor, now }: VerificationContext,
): readonly WitnessCheck[] {
  const [leaf, issuer] = claim.chain;
  return [
    checkTimestamp(raw, attestor, content.stamped, now),
    checkLogEntry(raw, attestor, { ...content.logged, ...loggedVerifier(claim) }),
    ...(attestor.kind === 'certificate-chain' && leaf
      ? [checkCertificateTimestamp(leaf, issuer, attestor.certificateTimestamp, attestor.certificateLogKeys)]
      : []),
  ];
}

/** What was logged as verifier: the certificate where there is one, and then its key must be the signer's. */
function loggedVerifier({ key, leaf }: SignerClaim): Pick<LoggedSignature, 'key' | 'verifierDer'> {
  const spki = key.export({ type: 'spki', format: 'der' });
  if (!leaf) return { key, verifierDer: spki };
  return { key, verifierDer: Buffer.compare(spki, leaf.publicKeyDer) === 0 ? leaf.raw : Buffer.alloc(0) };
}

function witnessDefect(witnesses: readonly WitnessCheck[]): EvidenceDefect | undefined {
  for (const witness of witnesses) if (witness.kind === 'defect') return witness.defect;
  return undefined;
}

function refuseUnsupported(witnesses: readonly WitnessCheck[]): void {
  for (const witness of witnesses) if (witness.kind === 'unsupported') throw unsupportedWitness(witness.what);
}

/**
 * The leaf and every certificate of its path must be valid at each time that a witness vouches for, and now when none
 * does (interop specification B.5, K.4, 60).
 */
function expiryDefect(
  witnesses: readonly WitnessCheck[],
  { chain, leaf }: SignerClaim,
  now: Date,
): EvidenceDefect | undefined {
  const times = witnesses.flatMap((witness) => (witness.kind === 'verified' && witness.time ? [witness.time] : []));
  // The time of a log entry that cannot be checked would take the place of now.
  const open = witnesses.some(({ kind }) => kind === 'unsupported');
  const certificates = chain.length > 0 ? chain : leaf ? [leaf] : [];
  for (const time of times.length > 0 || open ? times : [now]) {
    for (const [index, certificate] of certificates.entries()) {
      const expired = validityDefect(certificate, index, time);
      if (expired) return expired;
    }
  }
  return undefined;
}

function defect(code: DefectCode, message: string): EvidenceDefect {
  return { code, message };
}

function fail(code: DefectCode, message: string): { ok: false; defect: EvidenceDefect } {
  return { ok: false, defect: defect(code, message) };
}
