import type { Secret } from '#model/secret.ts';
import { pemKey } from '#signing/keys/pem-key.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';

/** The key of a signer: opened already, or in PEM. */
export type KeyMaterial =
  | { readonly key: SigningKey }
  | { readonly keyPem: string | Secret; readonly passphrase?: string | Secret };

/** @throws AppError `key-unreadable`. */
export function signingKeyOf(material: KeyMaterial): SigningKey {
  return 'key' in material ? material.key : pemKey(material.keyPem, material.passphrase);
}
