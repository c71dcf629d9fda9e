import type { KeyObject } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import type { CertificateAuthority } from '#crypto/certificate-authority.ts';
import type { SignatureHash } from '#crypto/dsse.ts';
import type { LogKey } from '#crypto/log-key.ts';
import type { TimestampAuthority } from '#crypto/timestamp-authority.ts';
import type { EvidenceDefect } from '#model/evidence.ts';

/** `required`: must be there and hold. `optional`: must hold where it is there. `ignored`: is not looked at. */
export type WitnessDemand = 'required' | 'optional' | 'ignored';

/** Which witnesses must vouch for the time of a signature, and how many. */
export interface ObserverDemand {
  /** `log`: the integrated time of a log entry; `authority`: a timestamp (RFC 3161); `any`: either. */
  readonly source: 'any' | 'log' | 'authority';
  readonly least: number;
}

/** What must witness a signature beside its signer. */
export interface WitnessTrust {
  /** Where material comes from that is replaced from time to time; absent: it stays. */
  readonly source?: string;
  readonly transparencyLog: WitnessDemand;
  /** Distinct logs whose entries must hold where they are required; absent: one. */
  readonly logThreshold?: number;
  /** Keys of the transparency logs that count; absent: those of the public instance, which need its trust root. */
  readonly logKeys?: readonly LogKey[];
  /** Who may tell the time of a signature; absent: timestamps are not looked at. */
  readonly timestampAuthorities?: readonly TimestampAuthority[];
  /** Who must tell the time; absent: nobody, and the time that counts is now where nobody does. */
  readonly observers?: ObserverDemand;
}

/** One text that a certificate must carry. */
export interface TextRule {
  /** As whoever wants it wrote it. */
  readonly wanted: string;
  matches(text: string): boolean;
}

/** What the certificate must name; a member that is absent asks for nothing. */
export interface IdentityRule {
  /** A URI or e-mail address of the subject. */
  readonly subject?: TextRule;
  /** Who vouched for the subject, as Fulcio writes it into the certificate; empty where nobody did. */
  readonly issuer?: TextRule;
}

/** Judges a path by revocation lists that were fetched before; it opens no socket. */
export interface RevocationRule {
  /**
   * Why a certificate of the path does not count.
   * @param chain leaf first, anchor last
   * @param times when the signature was made, as witnesses vouch for it; empty: nobody does
   * @throws AppError when it cannot be known: the evidence is then neither held nor bad.
   */
  defect(chain: readonly Certificate[], times: readonly Date[], now: Date): EvidenceDefect | undefined;
}

/** A certificate that leads to a trusted CA. */
export interface CertificateAttestor extends WitnessTrust {
  readonly kind: 'certificate-chain';
  /** A path to the anchor of any of them is enough. */
  readonly authorities: readonly CertificateAuthority[];
  readonly profile: 'compat' | 'strict';
  /** Absent: any. */
  readonly identity?: IdentityRule;
  /** `allowed`: a bundle of version 0.3 may bring a chain, as cosign once wrote it. The strict reading takes it anyway. */
  readonly certificateChain?: 'allowed';
  readonly certificateTimestamp: 'required' | 'ignored';
  /** Keys of the certificate logs that count; absent: those of the public instance. */
  readonly certificateLogKeys?: readonly LogKey[];
  /** Absent: nothing is looked up. */
  readonly revocation?: RevocationRule;
}

/** One public key. */
export interface KeyAttestor extends WitnessTrust {
  readonly kind: 'public-key';
  readonly key: KeyObject;
  /** Absent: SHA-256. Ed25519 has its own. */
  readonly hash?: SignatureHash;
  readonly profile: 'compat' | 'strict';
}

/**
 * Who may sign: the one internal form that every policy dialect and every trust setting compiles to.
 * `profile` decides the reading of X.509 and of bundles: `compat` judges as Kyverno and cosign do, `strict` asks for the
 * whole code signing profile, and that every witness which is there and can be checked holds.
 */
export type Attestor = CertificateAttestor | KeyAttestor;

/** The text itself, nothing else. */
export function exactly(wanted: string): TextRule {
  return { wanted, matches: (text) => text === wanted };
}
