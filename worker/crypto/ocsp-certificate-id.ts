import { createHash } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import { type DerReader, decodeOid, derReader, TAG } from '#crypto/der.ts';
import { derElement, derOid, derSequence } from '#crypto/der-writer.ts';

/** How a question names a certificate: by its issuer and its serial number (RFC 6960, 4.1.1). */
export interface OcspCertificateId {
  /** OID. */
  readonly hashAlgorithm: string;
  /** Lower-case hex, as are the others. */
  readonly issuerNameHash: string;
  readonly issuerKeyHash: string;
  /** Content bytes. */
  readonly serialNumber: string;
}

const SHA1 = '1.3.14.3.2.26';
const HASHES: Readonly<Record<string, string>> = {
  [SHA1]: 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/**
 * DER of the name of a certificate. SHA-1, since RFC 5019 wants it and many responders know no other; nothing rests on
 * it, as the answer is verified with the key of the issuer itself.
 */
export function ocspCertificateId(issuer: Certificate, serialNumber: string): Buffer {
  return derSequence(
    derSequence(derOid(SHA1), derElement(TAG.null)),
    derElement(TAG.octetString, hashOf('sha1', issuer.subjectDer)),
    derElement(TAG.octetString, hashOf('sha1', subjectPublicKey(issuer))),
    derElement(TAG.integer, Buffer.from(serialNumber, 'hex')),
  );
}

export function readOcspCertificateId(id: DerReader): OcspCertificateId {
  const hashAlgorithm = decodeOid(id.enter(TAG.sequence).element(TAG.oid).content);
  const issuerNameHash = id.element(TAG.octetString).content.toString('hex');
  const issuerKeyHash = id.element(TAG.octetString).content.toString('hex');
  const serialNumber = id.element(TAG.integer).content.toString('hex');
  id.end();
  return { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber };
}

/** Whether it names the certificate of this issuer with this serial number; a hash that is not known names none. */
export function namesCertificate(id: OcspCertificateId, issuer: Certificate, serialNumber: string): boolean {
  const hash = HASHES[id.hashAlgorithm];
  return (
    hash !== undefined &&
    id.serialNumber === serialNumber &&
    id.issuerNameHash === hashOf(hash, issuer.subjectDer).toString('hex') &&
    id.issuerKeyHash === hashOf(hash, subjectPublicKey(issuer)).toString('hex')
  );
}

/** SHA-1 of the key, by which a responder may name itself (RFC 6960, 4.2.1); lower-case hex. */
export function ocspKeyHash(certificate: Certificate): string {
  return hashOf('sha1', subjectPublicKey(certificate)).toString('hex');
}

/** The key without the algorithm and the count of unused bits before it. */
function subjectPublicKey({ publicKeyDer }: Certificate): Buffer {
  const info = derReader(publicKeyDer, 'public key').enter(TAG.sequence);
  info.element(TAG.sequence);
  return info.element(TAG.bitString).content.subarray(1);
}

function hashOf(hash: string, bytes: Uint8Array): Buffer {
  return createHash(hash).update(bytes).digest();
}
