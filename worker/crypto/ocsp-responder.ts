import type { Certificate } from '#crypto/certificate.ts';
import { describeCertificate, signatureDefect } from '#crypto/certificate-signature.ts';
import { ocspKeyHash } from '#crypto/ocsp-certificate-id.ts';
import type { OcspAnswer } from '#crypto/ocsp-response.ts';
import { parseCertificate } from '#crypto/parse-certificate.ts';
import { namedSignatureProblem } from '#crypto/signature-by-name.ts';
import { AppError } from '#model/errors.ts';

const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const NO_CHECK = '1.3.6.1.5.5.7.48.1.5';

/**
 * Why an answer is not by who may answer for the issuer, in words: the issuer itself, or a responder that it certified
 * for that (RFC 6960, 4.2.2.2). Nobody else is believed.
 */
export function responderProblem(answer: OcspAnswer, issuer: Certificate, now: Date): string | undefined {
  if (isResponder(issuer, answer)) return signatureProblem(answer, issuer);
  const brought = answer.certificates.flatMap((der) => readCertificate(der));
  const delegate = brought.find((each) => isResponder(each, answer));
  if (!delegate) return 'its answer is signed neither by the CA nor by a certificate that came with it';
  return delegateProblem(delegate, issuer, now) ?? signatureProblem(answer, delegate);
}

/** What else came with it does not matter, and neither whether it can be read. */
function readCertificate(der: Uint8Array): readonly Certificate[] {
  try {
    return [parseCertificate(der)];
  } catch (error) {
    if (error instanceof AppError) return [];
    throw error;
  }
}

function isResponder(certificate: Certificate, { responder }: OcspAnswer): boolean {
  if ('keyHash' in responder) return ocspKeyHash(certificate) === responder.keyHash;
  return Buffer.compare(certificate.subjectDer, responder.nameDer) === 0;
}

function signatureProblem({ signatureAlgorithm, signed, signature }: OcspAnswer, by: Certificate): string | undefined {
  return namedSignatureProblem(signatureAlgorithm, by.publicKey, signed, signature);
}

function delegateProblem(delegate: Certificate, issuer: Certificate, now: Date): string | undefined {
  const name = `the certificate of its responder, ${describeCertificate(delegate)},`;
  if (Buffer.compare(delegate.issuerDer, issuer.subjectDer) !== 0) return `${name} is by "${delegate.issuer}"`;
  const forged = signatureDefect(delegate, issuer);
  if (forged !== undefined) return `${name} is not by the CA: ${forged}`;
  if (!delegate.extendedKeyUsage?.includes(OCSP_SIGNING)) return `${name} is not for OCSP (id-kp-OCSPSigning)`;
  if (delegate.keyUsage && !delegate.keyUsage.includes('digitalSignature')) return `${name} is not for signatures`;
  const unknown = delegate.unknownCritical.filter((oid) => oid !== NO_CHECK);
  if (unknown.length > 0) return `${name} has the critical extension ${unknown.join(', ')}, which is not understood`;
  if (now < delegate.notBefore || now > delegate.notAfter) {
    return `${name} is valid from ${delegate.notBefore.toISOString()} to ${delegate.notAfter.toISOString()} only`;
  }
  // Else it would have to be asked about itself: whoever stole its key would answer that all is well (4.2.2.2.1).
  if (delegate.extensions.some(({ oid }) => oid === NO_CHECK)) return undefined;
  return `${name} may be revoked itself: it lacks id-pkix-ocsp-nocheck`;
}
