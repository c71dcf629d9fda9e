import type { Certificate } from '#crypto/certificate.ts';
import { verifyCompatPath } from '#crypto/compat-path.ts';
import { verifyStrictPath } from '#crypto/strict-path.ts';
import type { EvidenceDefect } from '#model/evidence.ts';

export interface PathInput {
  readonly leaf: Certificate;
  /** What is trusted. Certificates that came with the evidence must never stand here. */
  readonly anchors: readonly Certificate[];
  /** Further certificates to build with, from anywhere; none is trusted by itself. */
  readonly intermediates: readonly Certificate[];
  /** The time at which every certificate of the path must be valid. */
  readonly at: Date;
  readonly profile: 'compat' | 'strict';
}

export type PathResult =
  | {
      readonly ok: true;
      /** Leaf first, anchor last; the leaf alone when it is its own anchor. In `compat` the path that cosign takes. */
      readonly chain: readonly Certificate[];
    }
  | { readonly ok: false; readonly defect: EvidenceDefect };

/** Whether a certificate leads to a trusted one: as Kyverno and cosign judge, or by the whole code signing profile. */
export function verifyPath({ profile, ...input }: PathInput): PathResult {
  switch (profile) {
    case 'compat':
      return verifyCompatPath(input);
    case 'strict':
      return verifyStrictPath(input);
  }
}
