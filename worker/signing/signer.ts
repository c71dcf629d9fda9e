import type { KeyObject } from 'node:crypto';
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
  /** The key that verifies its signatures. */
  readonly publicKey: KeyObject;
  /** Leaf first, then intermediates, root last; empty for a plain key. */
  readonly chain: readonly Certificate[];
}

export type { SignedStatement } from '#model/signed-statement.ts';
