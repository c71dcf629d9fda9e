import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { type KeyMaterial, signingKeyOf } from '#signing/keys/key-material.ts';
import type { FixedSigner } from '#signing/signer.ts';
import type { Witness } from '#signing/witness.ts';

export type KeySignerOptions = KeyMaterial & { readonly id: string; readonly witnesses?: readonly Witness[] };

/**
 * A signer with a plain key: verifiers must have its public half.
 * @throws AppError `key-unreadable`.
 */
export function createKeySigner(options: KeySignerOptions): FixedSigner {
  const key = signingKeyOf(options);
  const publicKeyPem = key.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return {
    kind: 'fixed',
    id: options.id,
    fingerprint: publicKeyFingerprint(key.publicKey),
    publicKey: key.publicKey,
    chain: [],
    witnesses: options.witnesses ?? [],
    signer: {
      // No hint: it would become the envelope's keyid, which has to stay empty (interop K.1, 1).
      sign: async (data, signal) => ({
        signature: Buffer.from(await key.sign(data, signal)),
        key: { $case: 'publicKey', publicKey: publicKeyPem },
      }),
    },
  };
}
