import { createKeySigner, type KeySignerOptions } from '#signing/key.ts';
import type { FixedSigner } from '#signing/signer.ts';
import { createX509Signer, type X509SignerOptions } from '#signing/x509.ts';

/** Everything that one signer needs, read: keys as PEM or secrets, certificates as PEM. */
export type SignerMaterial =
  | ({ readonly type: 'x509' } & X509SignerOptions)
  | ({ readonly type: 'key' } & KeySignerOptions);

/**
 * Every kind of signer, by the `type` of its options.
 * @throws AppError when the key or certificate cannot be used; a broken signer stops the start.
 */
export function createSigner(material: SignerMaterial): FixedSigner {
  switch (material.type) {
    case 'x509':
      return createX509Signer(material);
    case 'key':
      return createKeySigner(material);
  }
}
