import { scryptSync } from 'node:crypto';
import * as z from 'zod/mini';
import { openSecretBox } from '#crypto/secretbox.ts';

const Base64 = z.string().check(z.maxLength(64 * 1024), z.regex(/^[A-Za-z0-9+/]*={0,2}$/));

/** The `encrypted` format of go-securesystemslib, as far as it is used. */
const EncryptedKey = z.object({
  kdf: z.object({
    name: z.literal('scrypt'),
    // The three strengths that the format has: a file must not choose how much memory and time we spend.
    params: z.object({
      N: z.union([z.literal(32768), z.literal(65536), z.literal(131072)]),
      r: z.literal(8),
      p: z.literal(1),
    }),
    salt: Base64,
  }),
  cipher: z.object({ name: z.literal('nacl/secretbox'), nonce: Base64 }),
  ciphertext: Base64,
});

export type OpenedCosignKey =
  | { readonly ok: true; readonly pkcs8: Buffer }
  | { readonly ok: false; readonly why: 'format' | 'passphrase' };

/** Opens the body of cosign's `ENCRYPTED COSIGN PRIVATE KEY` or `ENCRYPTED SIGSTORE PRIVATE KEY` (interop A.4). */
export function openCosignKey(body: Uint8Array, passphrase: string): OpenedCosignKey {
  const parsed = EncryptedKey.safeParse(parseJson(body));
  if (!parsed.success) return { ok: false, why: 'format' };
  const { kdf, cipher, ciphertext } = parsed.data;
  const { N, r, p } = kdf.params;
  const key = scryptSync(passphrase, Buffer.from(kdf.salt, 'base64'), 32, { N, r, p, maxmem: 256 * N * r });
  const pkcs8 = openSecretBox(Buffer.from(ciphertext, 'base64'), Buffer.from(cipher.nonce, 'base64'), key);
  return pkcs8 ? { ok: true, pkcs8 } : { ok: false, why: 'passphrase' };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}
