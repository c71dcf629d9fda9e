import type { KeyObject } from 'node:crypto';
import { describeKey, keyKind } from '#crypto/key-kind.ts';

/**
 * How Rekor calls a key whose signatures are over SHA-256 (protobuf-specs, PublicKeyDetails); undefined when it has no
 * name for that, and so takes no `hashedrekord` of it, in either version: P-384 and P-521 come with longer hashes there,
 * and Ed25519 in its prehashed form alone.
 */
export function keyDetails(key: KeyObject): string | undefined {
  const kind = keyKind(key);
  switch (kind.type) {
    case 'ecdsa':
      return kind.curve === 'P-256' ? 'PKIX_ECDSA_P256_SHA_256' : undefined;
    case 'rsa':
      return [2048, 3072, 4096].includes(kind.bits) ? `PKIX_RSA_PKCS1V15_${kind.bits}_SHA256` : undefined;
    case 'ed25519':
    case 'other':
      return undefined;
  }
}

/** The limit that such a key breaks, in words. */
export function unfitKey(key: KeyObject): string {
  const kind = describeKey(keyKind(key));
  return `Rekor takes no ${kind} signature over SHA-256 in a hashedrekord; use ECDSA P-256 or RSA 2048, 3072 or 4096`;
}
