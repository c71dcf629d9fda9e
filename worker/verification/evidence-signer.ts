import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import type { EvidenceSigner } from '#model/evidence.ts';

/** Who signed, as a certificate says. */
export function certificateSigner(leaf: Certificate): EvidenceSigner {
  return {
    fingerprint: leaf.fingerprint,
    subject: leaf.subject,
    issuer: leaf.issuer,
    subjectAlternativeNames: identitiesOf(leaf),
    notAfter: leaf.notAfter.toISOString(),
  };
}

/** A plain key has no name but its fingerprint. */
export function keySigner(key: KeyObject): EvidenceSigner {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return { fingerprint: publicKeyFingerprint(publicKey), subjectAlternativeNames: [] };
}

/** The names that can identify a signer: URIs and e-mail addresses; a host name or address is none. */
export function identitiesOf(leaf: Certificate): readonly string[] {
  return leaf.subjectAlternativeNames
    .filter(({ type }) => type === 'uri' || type === 'email')
    .map(({ value }) => value);
}
