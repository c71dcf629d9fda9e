import type { Certificate } from '#crypto/certificate.ts';
import { contextTag, TAG } from '#crypto/der.ts';
import { derElement, derOid, derSequence } from '#crypto/der-writer.ts';
import { ocspCertificateId } from '#crypto/ocsp-certificate-id.ts';

export const OCSP_NONCE = '1.3.6.1.5.5.7.48.1.2';
/** Bytes of a nonce that old responders take as well as new ones (RFC 9654, 2.1). */
export const OCSP_NONCE_BYTES = 32;

/**
 * The question whether one certificate was revoked (OCSPRequest, RFC 6960, 4.1.1), in DER and unsigned.
 * @param serialNumber content bytes in lower-case hex
 * @param nonce must come back in the answer, which was then made for this question
 */
export function ocspRequest(issuer: Certificate, serialNumber: string, nonce?: Uint8Array): Buffer {
  const requests = derSequence(derSequence(ocspCertificateId(issuer, serialNumber)));
  if (!nonce) return derSequence(derSequence(requests));
  const value = derElement(TAG.octetString, derElement(TAG.octetString, nonce));
  const extensions = derSequence(derSequence(derOid(OCSP_NONCE), value));
  return derSequence(derSequence(requests, derElement(contextTag(2, 'constructed'), extensions)));
}
