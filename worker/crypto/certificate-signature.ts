import type { Certificate } from '#crypto/certificate.ts';
import { keyKind } from '#crypto/key-kind.ts';
import { SIGNATURE_ALGORITHMS } from '#crypto/signature-algorithm.ts';

/** A certificate as messages name it. */
export function describeCertificate(certificate: Certificate): string {
  return certificate.subject === '' ? `(no name, serial ${certificate.serialNumber})` : `"${certificate.subject}"`;
}

/**
 * Why the issuer's key did not make the child's signature, in words; undefined when it did. Algorithms that can be
 * forged are refused before the signature is looked at, whatever OpenSSL would say of it.
 */
export function signatureDefect(child: Certificate, issuer: Certificate): string | undefined {
  const algorithm = SIGNATURE_ALGORITHMS[child.signatureAlgorithm];
  const name = describeCertificate(child);
  if (!algorithm) return `${name} is signed with ${child.signatureAlgorithm}, which is not known`;
  if (algorithm.weak) return `${name} is signed with ${child.signatureAlgorithm}, which can be forged`;
  const kind = keyKind(issuer.publicKey);
  if (kind.type === 'other') return `the key of ${describeCertificate(issuer)} is of the kind ${kind.name}`;
  if (kind.type === 'rsa' && kind.bits < 1024)
    return `the RSA key of ${describeCertificate(issuer)} has ${kind.bits} bits`;
  return child.x509.verify(issuer.publicKey)
    ? undefined
    : `the signature of ${name} was not made by the key of ${describeCertificate(issuer)}`;
}
