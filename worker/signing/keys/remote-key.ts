import { createHash, type KeyObject } from 'node:crypto';
import { verifySignature } from '#crypto/dsse.ts';
import { AppError } from '#model/errors.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';

/** A key that stays where it is: what a service or token does for us. */
export interface DigestSigner {
  /** For messages. */
  readonly what: string;
  readonly publicKey: KeyObject;
  /** Signs a SHA-256 digest: ECDSA in DER, or RSA PKCS #1 v1.5. */
  signDigest(digest: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array>;
}

/** Only the digest leaves; what comes back is checked here, so that a rotated or mistaken key is found at once. */
export function remoteKey({ what, publicKey, signDigest }: DigestSigner): SigningKey {
  return {
    publicKey,
    sign: async (data, signal) => {
      const signature = await signDigest(createHash('sha256').update(data).digest(), signal);
      if (verifySignature(publicKey, data, signature)) return signature;
      throw new AppError('key-mismatch', `${what} answered a signature that its public key does not verify`, {
        mend: 'the key may have been rotated: pin its version in the reference, or start again with its new certificate',
      });
    },
  };
}
