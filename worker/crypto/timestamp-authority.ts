import type { Certificate } from '#crypto/certificate.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import type { TimeWindow } from '#crypto/time-window.ts';
import { AppError } from '#model/errors.ts';

/** Who may tell the time of a signature (RFC 3161), as a policy names it. */
export interface TimestampAuthority {
  /** The only certificate that may sign tokens; absent: any below the roots. */
  readonly certificate?: Certificate;
  readonly intermediates: readonly Certificate[];
  readonly roots: readonly Certificate[];
  /** When its timestamps count; absent: whenever. */
  readonly validFor?: TimeWindow;
}

/** Certificates between the signer and the roots. */
const MAX_INTERMEDIATES = 10;

/**
 * Sorts the certificates of a timestamp authority as Kyverno's `tsaCertChain` does (interop specification B.5): those
 * that are no CA are signers, of which it takes one; of the others the self-issued ones are roots.
 * @throws AppError `certificate-unreadable`; `certificate-refused` for what Kyverno refuses.
 */
export function splitTimestampAuthority(pem: string): TimestampAuthority {
  const certificates = parseCertificates(pem);
  const isCa = (certificate: Certificate) => certificate.basicConstraints?.ca === true;
  const signers = certificates.filter((certificate) => !isCa(certificate));
  const [certificate, second] = signers;
  const intermediates = certificates.filter((each) => isCa(each) && !each.selfIssued);
  if (second || intermediates.length > MAX_INTERMEDIATES) {
    const what = second ? 'two certificates that are no CA' : `more than ${MAX_INTERMEDIATES} intermediates`;
    throw new AppError('certificate-refused', `a timestamp authority with ${what}`);
  }
  return {
    ...(certificate ? { certificate } : {}),
    intermediates,
    roots: certificates.filter((each) => isCa(each) && each.selfIssued),
  };
}
