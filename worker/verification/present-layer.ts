import type { EvidenceDefect, RawEvidence } from '#model/evidence.ts';
import { COSIGN_CERTIFICATE, COSIGN_SIGNATURE } from '#model/media-types.ts';
import type { Attestor } from '#verification/attestor.ts';
import { type AnnotatedCertificates, annotatedCertificates } from '#verification/certificate-annotations.ts';
import type { LoggedSignature } from '#verification/log-entry.ts';
import type { Presented, PresentedSigner, Presenting } from '#verification/presented.ts';
import { openContent } from '#verification/signed-content.ts';
import { checkLogEntry, checkTimestamp } from '#verification/witness.ts';

/** Opens a layer of one of cosign's tags; signer and witnesses stand in its annotations (interop A.1, A.2). */
export function presentLayer(raw: RawEvidence, bytes: Uint8Array, { attestor, now }: Presenting): Presented {
  // Kyverno's reader errs without the key, though its value is empty for attestations.
  if (attestor.profile === 'compat' && raw.descriptor.annotations?.[COSIGN_SIGNATURE] === undefined) {
    const message = `The layer lacks the annotation ${COSIGN_SIGNATURE}.`;
    return { ok: false, defect: { code: 'signature-missing', message } };
  }
  const opened = openContent(raw, bytes, attestor.profile);
  if (!opened.ok) return opened;
  const { content } = opened;
  const found = layerSigner(raw, attestor);
  if (!found.ok) return found;
  const { signer } = found;
  const logged = { ...content.logged, ...loggedVerifier(signer) };
  return {
    ok: true,
    content,
    signer,
    witnesses: [
      checkTimestamp(raw, attestor, content.stamped, now),
      checkLogEntry(raw, attestor, logged, attestor.profile),
    ],
  };
}

type LayerSigner =
  | { readonly ok: true; readonly signer: PresentedSigner }
  | { readonly ok: false; readonly defect: EvidenceDefect };

function layerSigner(raw: RawEvidence, attestor: Attestor): LayerSigner {
  switch (attestor.kind) {
    case 'certificate-chain': {
      const found = annotatedCertificates(raw, attestor.profile);
      if (!found.ok) return found;
      const { leaf, intermediates } = found;
      return { ok: true, signer: { key: leaf.publicKey, leaf, intermediates } };
    }
    case 'public-key': {
      const beside = certificateBeside(raw, attestor.profile);
      if (beside && !beside.ok) return beside;
      const leaf = beside ? { leaf: beside.leaf } : {};
      return { ok: true, signer: { key: attestor.key, ...leaf, intermediates: [] } };
    }
  }
}

/** A certificate annotation counts under a plain key too, as in Kyverno: one that cannot be read spoils the layer. */
function certificateBeside(raw: RawEvidence, profile: Attestor['profile']): AnnotatedCertificates | undefined {
  if ((raw.descriptor.annotations?.[COSIGN_CERTIFICATE] ?? '').trim() === '') return undefined;
  return annotatedCertificates(raw, profile);
}

/** What was logged as verifier: the certificate where there is one, and then its key must be the signer's. */
export function loggedVerifier({ key, leaf }: PresentedSigner): Pick<LoggedSignature, 'key' | 'verifierDer'> {
  const spki = key.export({ type: 'spki', format: 'der' });
  if (!leaf) return { key, verifierDer: spki };
  return { key, verifierDer: Buffer.compare(spki, leaf.publicKeyDer) === 0 ? leaf.raw : Buffer.alloc(0) };
}
