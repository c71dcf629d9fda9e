import { createHash } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import type { SignerInfo } from '#crypto/cms.ts';
import { HASHES } from '#crypto/cms-signature.ts';
import { decodeOid, derReader, TAG } from '#crypto/der.ts';

/** Signed attributes that name the signer's certificate by its hash (RFC 5035, 3 and 4). */
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';

/**
 * Whether a signer signed that it used this certificate: without that, whoever holds another certificate of the same
 * key could put it in its place. The older attribute names it by SHA-1, which is good enough to tell two apart and is
 * what many authorities still write.
 * @throws AppError `certificate-unreadable` for an attribute that cannot be read.
 */
export function namesCertificate({ attributes }: SignerInfo, certificate: Certificate): boolean {
  const v2 = attributes.get(SIGNING_CERTIFICATE_V2);
  if (v2) {
    const first = derReader(v2.content, 'signingCertificateV2').enter(TAG.sequence).enter(TAG.sequence);
    // The default is SHA-256, and DER leaves it out.
    const named = first.optional(TAG.sequence);
    const oid = named ? decodeOid(derReader(named.content, 'hash').element(TAG.oid).content) : undefined;
    const hash = oid === undefined ? 'sha256' : HASHES[oid];
    return hash !== undefined && isHashOf(first.element(TAG.octetString).content, certificate, hash);
  }
  const v1 = attributes.get(SIGNING_CERTIFICATE);
  if (!v1) return false;
  const first = derReader(v1.content, 'signingCertificate').enter(TAG.sequence).enter(TAG.sequence);
  return isHashOf(first.element(TAG.octetString).content, certificate, 'sha1');
}

function isHashOf(digest: Buffer, { raw }: Certificate, hash: string): boolean {
  return createHash(hash).update(raw).digest().equals(digest);
}
