import type { Certificate } from '#crypto/certificate.ts';

/**
 * Signs bytes with one key. The shape is that of sigstore's `Signer`, so that its classes (keyless, KMS) fit unwrapped:
 * `key` says what a verifier needs.
 */
export interface Signer {
  sign(data: Buffer): Promise<{ signature: Buffer; key: KeyMaterial }>;
}

export type KeyMaterial =
  | { readonly $case: 'x509Certificate'; readonly certificate: string }
  | { readonly $case: 'publicKey'; readonly publicKey: string; readonly hint?: string };

/** A signer that the installation owns, with all that is published beside its signatures. */
export interface ConfiguredSigner {
  readonly id: string;
  readonly signer: Signer;
  /** SHA-256 (hex) of the leaf's DER, or of the SPKI of a plain key: how records name the signer. */
  readonly fingerprint: string;
  /** Leaf first, then intermediates, root last; empty for a plain key. */
  readonly chain: readonly Certificate[];
}

/** One signed in-toto statement, ready for any layout. */
export interface SignedStatement {
  /** The DSSE envelope exactly as it will be stored; later hashes cover these bytes. */
  readonly envelope: Uint8Array;
  readonly payload: Uint8Array;
  readonly predicateType: string;
  readonly fingerprint: string;
  /** PEM of the leaf; absent for a plain key. */
  readonly certificate?: string;
  /** PEM of intermediates then root; absent for a plain key. */
  readonly chain?: string;
}
