import type { Witnessed } from '#model/witnessed.ts';

/** One image signature in cosign's legacy form (interop A.2), ready for the tag `.sig`. */
export interface SignedImage {
  /** The simple signing payload exactly as it will be stored; signature and log entry cover these bytes. */
  readonly payload: Uint8Array;
  /** Raw bytes of the signature over the payload; the annotation holds them in base64. */
  readonly signature: Uint8Array;
  /** How records name the signer: see `ConfiguredSigner.fingerprint`. */
  readonly fingerprint: string;
  /** PEM of the leaf; absent for a plain key. */
  readonly certificate?: string;
  /** PEM of intermediates then root; absent for a plain key. */
  readonly chain?: string;
  /** SPKI in PEM of the key that verifies it. */
  readonly publicKey: string;
  /** Entries of Rekor v1 over the payload, and timestamps over the signature; the other lists are empty. */
  readonly witnessed: Witnessed;
}
