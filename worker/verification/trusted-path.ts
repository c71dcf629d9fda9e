import type { Certificate } from '#crypto/certificate.ts';
import type { CertificateAuthority } from '#crypto/certificate-authority.ts';
import { verifyPath } from '#crypto/path.ts';
import { describeWindow, isWithin } from '#crypto/time-window.ts';
import type { EvidenceDefect } from '#model/evidence.ts';
import type { CertificateAttestor } from '#verification/attestor.ts';
import type { PresentedSigner } from '#verification/presented.ts';

export type TrustedPath =
  | {
      readonly ok: true;
      /** Leaf first, anchor last. */
      readonly chain: readonly Certificate[];
    }
  | { readonly ok: false; readonly defect: EvidenceDefect };

/**
 * The path from the signer's certificate to one of the trusted CAs; at each of the times there must be one (interop
 * specification G.3, K.4). A CA counts at the times of its own window alone.
 */
export function trustedPath(
  leaf: Certificate,
  { intermediates }: PresentedSigner,
  attestor: CertificateAttestor,
  times: readonly Date[],
): TrustedPath {
  let path: TrustedPath = untrusted('no certificate authority is trusted');
  for (const at of times) {
    path = pathAt(leaf, intermediates, attestor, at);
    if (!path.ok) return path;
  }
  return path;
}

function pathAt(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  { authorities, profile }: CertificateAttestor,
  at: Date,
): TrustedPath {
  const [closed] = authorities.filter(({ validFor }) => !isWithin(validFor, at));
  const open = authorities.filter(({ validFor }) => isWithin(validFor, at));
  const defects: EvidenceDefect[] = [];
  for (const authority of open) {
    const path = verifyPath({
      leaf,
      anchors: authority.anchors,
      intermediates: [...authority.intermediates, ...intermediates],
      at,
      profile,
    });
    if (path.ok) return path;
    defects.push(path.defect);
  }
  // With many CAs the telling reason is that of the one whose name the leaf bears: not that no path begins.
  const [first] = defects.toSorted((one, other) => rank(one) - rank(other));
  return first ? { ok: false, defect: first } : untrusted(whyClosed(closed, at));
}

function rank({ code }: EvidenceDefect): number {
  return code === 'chain-untrusted' ? 1 : 0;
}

function whyClosed(closed: CertificateAuthority | undefined, at: Date): string {
  if (!closed?.validFor) return 'no certificate authority is trusted';
  return `no certificate authority is trusted at ${at.toISOString()}, only ${describeWindow(closed.validFor)}`;
}

function untrusted(message: string): TrustedPath {
  return { ok: false, defect: { code: 'chain-untrusted', message: `No trusted path: ${message}.` } };
}
