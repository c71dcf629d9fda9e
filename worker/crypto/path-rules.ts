import type { Certificate } from '#crypto/certificate.ts';
import { describeCertificate } from '#crypto/certificate-signature.ts';
import type { DefectCode, EvidenceDefect } from '#model/evidence.ts';

/** extKeyUsage OIDs (RFC 5280, 4.2.1.12). */
export const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
export const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0';

/** A defect of the certificate at `index` of the path: 0 is the leaf. */
export function pathDefect(code: DefectCode, certificate: Certificate, index: number, why: string): EvidenceDefect {
  return { code, message: `certificate ${index} of the path, ${describeCertificate(certificate)}: ${why}` };
}

/** Validity is inclusive at both ends (RFC 5280, 4.1.2.5). */
export function validityDefect(certificate: Certificate, index: number, at: Date): EvidenceDefect | undefined {
  const when = at.toISOString();
  if (at < certificate.notBefore) {
    const from = certificate.notBefore.toISOString();
    return pathDefect('certificate-expired', certificate, index, `not yet valid at ${when}, only from ${from}`);
  }
  if (at > certificate.notAfter) {
    const until = certificate.notAfter.toISOString();
    return pathDefect('certificate-expired', certificate, index, `no longer valid at ${when}, only until ${until}`);
  }
  return undefined;
}

/** An extension that is critical and not understood forbids the use of the certificate (RFC 5280, 4.2). */
export function criticalDefect(certificate: Certificate, index: number, except?: string): EvidenceDefect | undefined {
  const oids = certificate.unknownCritical.filter((oid) => oid !== except);
  if (oids.length === 0) return undefined;
  return pathDefect(
    'certificate-profile',
    certificate,
    index,
    `critical extension ${oids.join(', ')} is not understood`,
  );
}

/** No certificate above the leaf was accepted: the hint tells why the best candidate was not. */
export function untrusted(leaf: Certificate, hint: EvidenceDefect | undefined): EvidenceDefect {
  if (hint) return { code: hint.code, message: `No trusted path: ${hint.message}` };
  return {
    code: 'chain-untrusted',
    message: `No trusted path from ${describeCertificate(leaf)}: there is no trusted certificate or intermediate that leads on from "${leaf.issuer}"`,
  };
}
