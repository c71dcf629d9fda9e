import type { Certificate } from '#crypto/certificate.ts';
import type { EvidenceDefect } from '#model/evidence.ts';

/** The question that path validation answers. */
export interface PathInput {
  readonly leaf: Certificate;
  /** What is trusted. Certificates that came with the evidence must never stand here. */
  readonly anchors: readonly Certificate[];
  /** Further certificates to build with, from anywhere; none is trusted by itself. */
  readonly intermediates: readonly Certificate[];
  /** The time at which every certificate of the path must be valid. */
  readonly at: Date;
  /** What the path is for; absent: code signing. Only `compat` knows another. */
  readonly usage?: 'any';
}

export type PathResult =
  | {
      readonly ok: true;
      /** Leaf first, anchor last; the leaf alone when it is its own anchor. In `compat` the path that cosign takes. */
      readonly chain: readonly Certificate[];
    }
  | { readonly ok: false; readonly defect: EvidenceDefect };
