import type { KeyObject } from 'node:crypto';

/** A key that signs, wherever it lies: in a file, in a key service, in a token. */
export interface SigningKey {
  readonly publicKey: KeyObject;
  /**
   * A signature over `data` as every reader expects it: SHA-256 with ECDSA in DER or RSA PKCS #1 v1.5; Ed25519 of a key
   * in a file. A key service is shown the digest alone.
   * @throws AppError `key-…`, `network`, `timeout`, `clock-skew`
   */
  sign(data: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
}
