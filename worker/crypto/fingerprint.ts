import { createPublicKey, type KeyObject } from 'node:crypto';
import { sha256Hex } from '#model/digest.ts';

/** SHA-256 of the certificate's DER, lower-case hex. */
export function certificateFingerprint(der: Uint8Array): string {
  return sha256Hex(der);
}

/** SHA-256 of the public key's SPKI DER, lower-case hex. A private key has the fingerprint of its public half. */
export function publicKeyFingerprint(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return sha256Hex(publicKey.export({ format: 'der', type: 'spki' }));
}
