import { createPublicKey } from 'node:crypto';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { readPrivateKey } from '#crypto/keys.ts';
import type { Secret } from '#model/secret.ts';
import { signBytes } from '#signing/sign-bytes.ts';
import type { FixedSigner } from '#signing/signer.ts';
import type { Witness } from '#signing/witness.ts';

export interface KeySignerOptions {
  readonly id: string;
  readonly keyPem: string | Secret;
  readonly passphrase?: string | Secret;
  readonly witnesses?: readonly Witness[];
}

/**
 * A signer with a plain key: verifiers must have its public half.
 * @throws AppError `key-unreadable`.
 */
export function createKeySigner(options: KeySignerOptions): FixedSigner {
  const key = readPrivateKey(options.keyPem, options.passphrase);
  const publicKey = createPublicKey(key);
  const publicKeyPem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return {
    kind: 'fixed',
    id: options.id,
    fingerprint: publicKeyFingerprint(publicKey),
    publicKey,
    chain: [],
    witnesses: options.witnesses ?? [],
    signer: {
      // No hint: it would become the envelope's keyid, which has to stay empty (interop K.1, 1).
      sign: async (data) => ({ signature: signBytes(key, data), key: { $case: 'publicKey', publicKey: publicKeyPem } }),
    },
  };
}
