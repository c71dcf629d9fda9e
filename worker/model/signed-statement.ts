import type { Witnessed } from '#model/witnessed.ts';

/** One signed in-toto statement, ready for any layout. */
export interface SignedStatement {
  /** The DSSE envelope exactly as it will be stored; later hashes cover these bytes. */
  readonly envelope: Uint8Array;
  readonly payload: Uint8Array;
  readonly predicateType: string;
  /** The signature's bytes as they stand in the envelope: for bundles and witnesses. */
  readonly signature: Uint8Array;
  /** How records name the signer: see `ConfiguredSigner.fingerprint`. */
  readonly fingerprint: string;
  /** PEM of the leaf; absent for a plain key. */
  readonly certificate?: string;
  /** PEM of intermediates then root; absent for a plain key. */
  readonly chain?: string;
  /** SPKI in PEM of the key that verifies it; a bundle of a plain key names it by a hint. */
  readonly publicKey: string;
  /** What the signer's witnesses gave; for layouts to choose from. */
  readonly witnessed: Witnessed;
}
