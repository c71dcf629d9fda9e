import type { Certificate } from '#crypto/certificate.ts';
import type { EvidenceDefect, RawEvidence } from '#model/evidence.ts';
import { COSIGN_CERTIFICATE, COSIGN_CHAIN } from '#model/media-types.ts';
import { importCertificates } from '#verification/import-cache.ts';
import type { Profile } from '#verification/statement.ts';

export type AnnotatedCertificates =
  | { readonly ok: true; readonly leaf: Certificate; readonly intermediates: readonly Certificate[] }
  | { readonly ok: false; readonly defect: EvidenceDefect };

/**
 * The signer's certificate and the candidates for its path, from the layer's annotations (interop specification A.1.2).
 * `compat` drops the last certificate of the chain, which it presumes to be the root, and uses the others only when
 * there are more than one (A.1.6); `strict` uses every certificate that is there. None of them is trusted.
 */
export function annotatedCertificates(raw: RawEvidence, profile: Profile): AnnotatedCertificates {
  const pem = raw.descriptor.annotations?.[COSIGN_CERTIFICATE] ?? '';
  if (pem.trim() === '') return missing('The layer has no certificate annotation.');
  const own = importCertificates(pem);
  if (!own.ok) return malformed(`The certificate annotation cannot be read: ${own.problem}.`);
  const [leaf, ...more] = own.certificates;
  if (!leaf) return missing('The certificate annotation holds no certificate.');
  const chainPem = raw.descriptor.annotations?.[COSIGN_CHAIN] ?? '';
  if (chainPem.trim() === '') return { ok: true, leaf, intermediates: profile === 'strict' ? more : [] };
  const chain = importCertificates(chainPem);
  if (!chain.ok) return malformed(`The chain annotation cannot be read: ${chain.problem}.`);
  const intermediates = profile === 'strict' ? [...more, ...chain.certificates] : chain.certificates.slice(0, -1);
  return { ok: true, leaf, intermediates };
}

function missing(message: string): AnnotatedCertificates {
  return { ok: false, defect: { code: 'certificate-missing', message } };
}

function malformed(message: string): AnnotatedCertificates {
  return { ok: false, defect: { code: 'certificate-malformed', message } };
}
