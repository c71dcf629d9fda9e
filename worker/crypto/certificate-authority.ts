import type { Certificate } from '#crypto/certificate.ts';
import type { TimeWindow } from '#crypto/time-window.ts';

/** A CA whose certificates count. */
export interface CertificateAuthority {
  /** What is trusted. For `compat` every certificate of Kyverno's `certChain` is one, intermediates too. */
  readonly anchors: readonly Certificate[];
  /** Further certificates to build paths with, never trusted by themselves. */
  readonly intermediates: readonly Certificate[];
  /** When a signature must have been made for this CA to count; absent: whenever. */
  readonly validFor?: TimeWindow;
}
