import { createPublicKey } from 'node:crypto';
import { readPrivateKey } from '#crypto/keys.ts';
import type { Secret } from '#model/secret.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';
import { signBytes } from '#signing/sign-bytes.ts';

/** A key that is read into memory. @throws AppError `key-unreadable`. */
export function pemKey(pem: string | Secret, passphrase?: string | Secret): SigningKey {
  const key = readPrivateKey(pem, passphrase);
  return { publicKey: createPublicKey(key), sign: async (data) => signBytes(key, data) };
}
