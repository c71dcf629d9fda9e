import type { KeyObject } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import { verifyPath } from '#crypto/path.ts';
import type { DefectCode, EvidenceDefect, EvidenceSigner, RawEvidence } from '#model/evidence.ts';
import { COSIGN_CERTIFICATE } from '#model/media-types.ts';
import type { Attestor } from '#verification/attestor.ts';
import { annotatedCertificates } from '#verification/certificate-annotations.ts';
import { certificateSigner, identitiesOf, keySigner } from '#verification/evidence-signer.ts';

/** The key that must have signed, and what else is known of who holds it. */
export interface SignerClaim {
  readonly key: KeyObject;
  readonly signer: EvidenceSigner;
  /** Leaf first, anchor last; empty for a plain key. */
  readonly chain: readonly Certificate[];
  /** The certificate that came with the evidence, also beside a plain key. */
  readonly leaf?: Certificate;
}

export type SignerClaimed =
  | { readonly ok: true; readonly claim: SignerClaim }
  | { readonly ok: false; readonly defect: EvidenceDefect; readonly signer?: EvidenceSigner };

/** Who would have to be the signer for the attestor to hold: its key, or a certificate of the layer that it trusts. */
export function claimSigner(raw: RawEvidence, attestor: Attestor, now: Date): SignerClaimed {
  switch (attestor.kind) {
    case 'public-key': {
      const beside = certificateBeside(raw, attestor.profile);
      if (!beside.ok) return beside;
      const { leaf } = beside;
      const signer = keySigner(attestor.key);
      return { ok: true, claim: { key: attestor.key, signer, chain: [], ...(leaf ? { leaf } : {}) } };
    }
    case 'certificate-chain':
      return claimByPath(raw, attestor, now);
  }
}

function claimByPath(
  raw: RawEvidence,
  attestor: Extract<Attestor, { kind: 'certificate-chain' }>,
  now: Date,
): SignerClaimed {
  const found = annotatedCertificates(raw, attestor.profile);
  if (!found.ok) return found;
  const { leaf } = found;
  const signer = certificateSigner(leaf);
  const path = verifyPath({
    leaf,
    anchors: attestor.anchors,
    intermediates: [...attestor.intermediates, ...found.intermediates],
    // Kyverno builds the path at the time when the leaf begins, and looks at the time that counts afterwards.
    at: attestor.profile === 'compat' ? leaf.notBefore : now,
    profile: attestor.profile,
  });
  if (!path.ok) return { ok: false, defect: path.defect, signer };
  if (attestor.identity !== undefined && !identitiesOf(leaf).includes(attestor.identity)) {
    const names = identitiesOf(leaf).join(', ') || 'nobody';
    const message = `The certificate names ${names}, not ${attestor.identity}.`;
    return { ok: false, defect: defect('identity-mismatch', message), signer };
  }
  return { ok: true, claim: { key: leaf.publicKey, signer, chain: path.chain, leaf } };
}

/** A certificate annotation counts under a plain key too, as in Kyverno: one that cannot be read spoils the layer. */
function certificateBeside(
  raw: RawEvidence,
  profile: Attestor['profile'],
): { readonly ok: true; readonly leaf?: Certificate } | { readonly ok: false; readonly defect: EvidenceDefect } {
  if ((raw.descriptor.annotations?.[COSIGN_CERTIFICATE] ?? '').trim() === '') return { ok: true };
  const found = annotatedCertificates(raw, profile);
  return found.ok ? { ok: true, leaf: found.leaf } : found;
}

function defect(code: DefectCode, message: string): EvidenceDefect {
  return { code, message };
}
