import type { Certificate } from '#crypto/certificate.ts';
import { keyKind } from '#crypto/key-kind.ts';
import { SIGNATURE_ALGORITHMS } from '#crypto/signature-algorithm.ts';

/** A certificate as messages name it. */
export function describeCertificate(certificate: Certificate): string {
  return certificate.subject === '' ? `(no name, serial ${certificate.serialNumber})` : `"${certificate.subject}"`;
}

/** Pairs of certificates; those above the leaf are the same for all evidence of a CA. */
const MAX_REMEMBERED = 1024;
const remembered = new Map<string, boolean>();

/**
 * Whether the issuer's key made the child's signature, remembered by content: the answer depends on the two
 * certificates alone, and checking it is the dearest part of a path.
 */
function isIssuedBy(child: Certificate, issuer: Certificate): boolean {
  const pair = `${child.fingerprint} ${issuer.fingerprint}`;
  const known = remembered.get(pair);
  if (known !== undefined) return known;
  const issued = child.x509.verify(issuer.publicKey);
  const oldest = remembered.keys().next().value;
  if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  remembered.set(pair, issued);
  return issued;
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
  return isIssuedBy(child, issuer)
    ? undefined
    : `the signature of ${name} was not made by the key of ${describeCertificate(issuer)}`;
}
