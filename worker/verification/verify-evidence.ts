import { createHash } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import { validityDefect } from '#crypto/path-rules.ts';
import { type Digest, digestHex, sha256 } from '#model/digest.ts';
import type { DefectCode, Evidence, EvidenceDefect, EvidenceSigner, RawEvidence } from '#model/evidence.ts';
import type { Attestor, CertificateAttestor } from '#verification/attestor.ts';
import { certificateClaims } from '#verification/certificate-claims.ts';
import { certificateSigner, keySigner } from '#verification/evidence-signer.ts';
import { identityDefect } from '#verification/identity.ts';
import { present } from '#verification/present.ts';
import type { PresentedEvidence } from '#verification/presented.ts';
import { type TrustedPath, trustedPath } from '#verification/trusted-path.ts';
import { checkCertificateTimestamp, unsupportedWitness, type WitnessCheck } from '#verification/witness.ts';
import { observersDefect, witnessDefect, witnessedTimes } from '#verification/witnessed-times.ts';

export interface VerificationContext {
  /** The image's digest: what the statement must be about. */
  readonly digest: Digest;
  readonly attestor: Attestor;
  /** The time that counts for evidence without a trusted time of its own. */
  readonly now: Date;
  /** Bytes of the image's manifest, for bundles that sign them and state nothing; absent: such a bundle does not hold. */
  readonly artifact?: Uint8Array;
}

/**
 * Judges one stored piece of evidence, of either layout, under one attestor: form, witnesses, certificate path at the
 * times that they vouch for, identity, signature, content, subject. What is bad is a defect in `held`; the first one
 * found. A statement is given only when its signature was verified under the attestor.
 * @throws AppError `policy-unsupported` for evidence that is good but for a log entry or certificate timestamp that the
 * attestor requires, is there, and cannot be checked without a trusted root; or what the revocation rule throws.
 */
export function verifyEvidence(raw: RawEvidence, context: VerificationContext): Evidence {
  const { attestor, digest } = context;
  const bytes = soundBytes(raw);
  if (!bytes.ok) return { raw, held: bytes.defect };
  const presented = present(raw, bytes.value, context);
  if (!presented.ok) return { raw, held: presented.defect };
  const { content } = presented;
  const { key, leaf } = presented.signer;
  const signer = signerOf(presented, attestor);
  const judged = judgeSigner(raw, presented, context);
  if (judged.defect) return { raw, signer, held: judged.defect };
  const hash = attestor.kind === 'public-key' ? attestor.hash : undefined;
  if (!content.isSignedBy(key, hash)) {
    return { raw, signer, held: defect('signature-invalid', 'No signature verifies with the key.') };
  }
  const witnesses = [...presented.witnesses, ...certificateWitness(raw, judged.chain, attestor)];
  const { defect: contentDefect, ...said } = content.read(digest);
  const flawed = witnessDefect(witnesses) ?? judged.late ?? contentDefect;
  if (flawed === undefined) refuseUnsupported(witnesses);
  // Last: what is bad anyway needs no list, and must not be called unknown for want of one.
  const held = flawed ?? revocationDefect(judged, context);
  return {
    raw,
    signer,
    ...(leaf ? { claims: certificateClaims(leaf) } : {}),
    payloadDigest: sha256(content.payload),
    ...said,
    held: held ?? true,
  };
}

function soundBytes({
  bytes,
  descriptor,
}: RawEvidence):
  | { readonly ok: true; readonly value: Uint8Array }
  | { readonly ok: false; readonly defect: EvidenceDefect } {
  if (!bytes) {
    const message = `The manifest lists ${descriptor.digest} and the registry does not hold it.`;
    return { ok: false, defect: defect('blob-missing', message) };
  }
  const algorithm = descriptor.digest.slice(0, descriptor.digest.indexOf(':'));
  if (createHash(algorithm).update(bytes).digest('hex') !== digestHex(descriptor.digest)) {
    return { ok: false, defect: defect('blob-digest', `The bytes do not hash to ${descriptor.digest}.`) };
  }
  return { ok: true, value: bytes };
}

function signerOf({ signer: { leaf } }: PresentedEvidence, attestor: Attestor): EvidenceSigner {
  if (attestor.kind === 'public-key') return keySigner(attestor.key);
  // A certificate attestor's evidence was opened with its certificate.
  return leaf ? certificateSigner(leaf) : { fingerprint: '', subjectAlternativeNames: [] };
}

interface JudgedSigner {
  /** Leaf first, anchor last; empty for a plain key. */
  readonly chain: readonly Certificate[];
  /** When it signed, as witnesses vouch for it. */
  readonly times?: readonly Date[];
  /** It is not the signer wanted. */
  readonly defect?: EvidenceDefect;
  /** It is, and the time is wrong: what a witness lacks is told before that. */
  readonly late?: EvidenceDefect;
}

function judgeSigner(raw: RawEvidence, presented: PresentedEvidence, context: VerificationContext): JudgedSigner {
  const { witnesses, signer } = presented;
  const { attestor, now } = context;
  const { times, claimed } = witnessedTimes(witnesses, countedSource(raw, attestor));
  const { leaf } = signer;
  // The time of a log entry that cannot be checked would take the place of now.
  const isOpen = times.length === 0 && witnesses.some(({ kind }) => kind === 'unsupported');
  const moments = times.length > 0 || isOpen ? times : [now];
  const lacking = observersDefect(witnesses, attestor);
  if (attestor.kind === 'public-key' || !leaf) {
    const late = lacking ?? (leaf ? expiryDefect([leaf], moments) : undefined);
    return { chain: [], ...(late ? { late } : {}) };
  }
  const path = pathOf(raw, presented, leaf, attestor, moments);
  if (!path.ok) {
    if (path.defect.code !== 'certificate-expired') return { chain: [], defect: path.defect };
    return { chain: [], defect: witnessDefect(witnesses) ?? lacking ?? path.defect };
  }
  const other = attestor.identity && identityDefect(leaf, attestor.identity);
  if (other) return { chain: [], defect: other };
  const { chain } = path;
  const late = lacking ?? expiryDefect(chain, moments) ?? expiryDefect([leaf], claimed);
  return { chain, times, ...(late ? { late } : {}) };
}

function revocationDefect(
  { chain, times = [] }: JudgedSigner,
  { attestor, now }: VerificationContext,
): EvidenceDefect | undefined {
  return attestor.kind === 'certificate-chain' ? attestor.revocation?.defect(chain, times, now) : undefined;
}

/** sigstore-go goes by the witnesses that it was told to, and by now where it was told of none; else every time counts. */
function countedSource({ layout }: RawEvidence, { profile, observers }: Attestor) {
  return layout === 'bundle' && profile === 'compat' ? (observers?.source ?? 'none') : 'any';
}

/**
 * In cosign's tags Kyverno builds the path at the time when the leaf begins, and looks at the times that count
 * afterwards (interop specification B.5); everybody else builds it at these.
 */
function pathOf(
  { layout }: RawEvidence,
  { signer }: PresentedEvidence,
  leaf: Certificate,
  attestor: CertificateAttestor,
  moments: readonly Date[],
): TrustedPath {
  const atStart = (layout === 'cosign-tag' && attestor.profile === 'compat') || moments.length === 0;
  return trustedPath(leaf, signer, attestor, atStart ? [leaf.notBefore] : moments);
}

function certificateWitness(
  { layout }: RawEvidence,
  [leaf, issuer]: readonly Certificate[],
  attestor: Attestor,
): readonly WitnessCheck[] {
  if (attestor.kind === 'public-key' || !leaf) return [];
  const { certificateTimestamp, certificateLogKeys, profile } = attestor;
  const demand = layout === 'bundle' && profile === 'compat' ? 'one' : 'every';
  return [checkCertificateTimestamp(leaf, issuer, certificateTimestamp, certificateLogKeys, demand)];
}

function refuseUnsupported(witnesses: readonly WitnessCheck[]): void {
  for (const witness of witnesses) if (witness.kind === 'unsupported') throw unsupportedWitness(witness.what);
}

/** Every certificate must be valid at each time that a witness vouches for, and now when none does (K.4, 60). */
function expiryDefect(certificates: readonly Certificate[], times: readonly Date[]): EvidenceDefect | undefined {
  for (const time of times) {
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
