import type { KeyObject } from 'node:crypto';
import type { Signature } from '@sigstore/sign';
import type { Certificate } from '#crypto/certificate.ts';
import type { CertificateAuthority } from '#crypto/certificate-authority.ts';
import type { Witness } from '#signing/witness.ts';

/**
 * Signs bytes with one key, wherever it is. sigstore's own classes fit unwrapped; whoever waits for another process
 * also minds the signal.
 */
export interface Signer {
  sign(data: Buffer, signal?: AbortSignal): Promise<Signature>;
}

/** A signer that the installation owns, with all that is published beside its signatures. */
export type ConfiguredSigner = FixedSigner | KeylessSigner;

interface InstalledSigner {
  readonly id: string;
  /**
   * How records name the signer, 64 hex digits: SHA-256 of the leaf's DER, of the SPKI of a plain key, or of the
   * identity of a keyless one, whose certificates last minutes.
   */
  readonly fingerprint: string;
  /** Who witnesses its signatures; none for those that verifiers judge at the present time. */
  readonly witnesses: readonly Witness[];
}

/** A key that stays, whether it lies in a file, in a key management service or in a token. */
export interface FixedSigner extends InstalledSigner, SigningCredential {
  readonly kind: 'fixed';
}

/** An identity for which a CA certifies a key for some minutes. */
export interface KeylessSigner extends InstalledSigner {
  readonly kind: 'keyless';
  readonly identity: SignerIdentity;
  /** The CAs of the configured trust, to one of which its certificates lead. */
  authorities(): readonly CertificateAuthority[];
  /**
   * A certified key, fit for a signature now. Its certificate was judged: it leads to one of the CAs and names the
   * identity, and nothing else.
   */
  credential(signal?: AbortSignal): Promise<SigningCredential>;
}

/** Whom a certificate of Fulcio names. */
export interface SignerIdentity {
  /** The URI or e-mail address of its alternative name. */
  readonly subject: string;
  /** The issuer of the identity token that it was given for. */
  readonly issuer: string;
}

/** What one signature is made with. */
export interface SigningCredential {
  readonly signer: Signer;
  /** The key that verifies its signatures. */
  readonly publicKey: KeyObject;
  /** Leaf first, then intermediates, root last; empty for a plain key. */
  readonly chain: readonly Certificate[];
}

export type { SignedImage } from '#model/signed-image.ts';
export type { SignedStatement } from '#model/signed-statement.ts';
