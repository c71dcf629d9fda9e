import type { KeyObject } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';

/**
 * Who may sign: the one internal form that every policy dialect and every trust setting compiles to.
 * `profile` decides the reading of X.509: `compat` judges as Kyverno and cosign do, `strict` asks for the whole code
 * signing profile.
 */
export type Attestor =
  | {
      readonly kind: 'certificate-chain';
      /** Trust anchors. In `compat` every certificate of Kyverno's `certChain` is one, intermediates too. */
      readonly anchors: readonly Certificate[];
      /** Further certificates to build paths with, never trusted by themselves. */
      readonly intermediates: readonly Certificate[];
      readonly profile: 'compat' | 'strict';
      /** Exact URI or e-mail of the certificate; absent: any. */
      readonly identity?: string;
      readonly transparencyLog: 'required' | 'ignored';
      readonly certificateTimestamp: 'required' | 'ignored';
    }
  | {
      readonly kind: 'public-key';
      readonly key: KeyObject;
      readonly profile: 'compat' | 'strict';
      readonly transparencyLog: 'required' | 'ignored';
    };
