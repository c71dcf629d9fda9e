import type { KeyObject } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import type { SignatureHash } from '#crypto/dsse.ts';
import type { LogKey } from '#crypto/log-key.ts';
import type { TimestampAuthority } from '#crypto/timestamp-authority.ts';

/** What must witness a signature beside its signer. */
export interface WitnessTrust {
  readonly transparencyLog: 'required' | 'ignored';
  /** Keys of the transparency logs that count; absent: those of the public instance, which need its trust root. */
  readonly logKeys?: readonly LogKey[];
  /** Who may tell the time of a signature; absent: timestamps are not looked at. */
  readonly timestampAuthority?: TimestampAuthority;
}

/**
 * Who may sign: the one internal form that every policy dialect and every trust setting compiles to.
 * `profile` decides the reading of X.509: `compat` judges as Kyverno and cosign do, `strict` asks for the whole code
 * signing profile.
 */
export type Attestor =
  | (WitnessTrust & {
      readonly kind: 'certificate-chain';
      /** Trust anchors. In `compat` every certificate of Kyverno's `certChain` is one, intermediates too. */
      readonly anchors: readonly Certificate[];
      /** Further certificates to build paths with, never trusted by themselves. */
      readonly intermediates: readonly Certificate[];
      readonly profile: 'compat' | 'strict';
      /** Exact URI or e-mail of the certificate; absent: any. */
      readonly identity?: string;
      readonly certificateTimestamp: 'required' | 'ignored';
      /** Keys of the certificate logs that count; absent: those of the public instance. */
      readonly certificateLogKeys?: readonly LogKey[];
    })
  | (WitnessTrust & {
      readonly kind: 'public-key';
      readonly key: KeyObject;
      /** Absent: SHA-256. Ed25519 has its own. */
      readonly hash?: SignatureHash;
      readonly profile: 'compat' | 'strict';
    });
