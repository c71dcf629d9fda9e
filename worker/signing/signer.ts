import type { KeyObject } from 'node:crypto';
import type { Signer } from '@sigstore/sign';
import type { Certificate } from '#crypto/certificate.ts';

/** Signs bytes with one key. It is sigstore's own contract, so that its classes (keyless, KMS) fit unwrapped. */
export type { Signer } from '@sigstore/sign';

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
