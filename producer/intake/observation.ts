import type { ImageJob } from '#model/job.ts';
import type { SkipReason } from '#model/push-event.ts';
import type { SigningRefusal } from '#model/signing-refusal.ts';

/**
 * What happened at the intake, for logs, metrics and alerts; whoever composes the process listens. Names are fit for
 * logs (`shown`). `source` is undefined for a path without a source: what a stranger types is no label.
 */
export type IntakeObservation =
  | { readonly kind: 'delivery'; readonly source: string | undefined; readonly result: DeliveryResult }
  /** The answer is made; `ms` since the request began. */
  | { readonly kind: 'answered'; readonly source: string; readonly ms: number }
  | {
      readonly kind: 'enqueued';
      readonly source: string;
      readonly image: string;
      readonly job: string;
      readonly state: 'queued' | 'duplicate';
      /** Milliseconds since the event happened, where its sender tells that. */
      readonly lagMs?: number;
    }
  | {
      readonly kind: 'skipped';
      readonly source: string;
      readonly from: string;
      readonly reason: SkipReason;
      readonly message: string;
    }
  /** A trial was judged, and had no effect. */
  | { readonly kind: 'tried'; readonly source: string; readonly items: number }
  /** A wrong credential. From Distribution it means that the registry's queue is stuck until it is mended. */
  | { readonly kind: 'unauthenticated'; readonly source: string }
  | {
      readonly kind: 'rate-exceeded';
      readonly source: string;
      readonly repository: string;
      readonly count: number;
      readonly limit: number;
      readonly delayMs: number;
    }
  /** Something was handed in that the rules do not let be signed. */
  | {
      readonly kind: 'signing-refused';
      readonly source: string;
      /** `registry/repository@digest`. */
      readonly image: string;
      readonly rule: string;
      readonly refusal: SigningRefusal;
      /** What its job would have been. */
      readonly job: ImageJob;
    }
  | { readonly kind: 'unavailable'; readonly source: string; readonly code: string; readonly message: string };

export type DeliveryResult = 'accepted' | 'skipped' | 'rejected' | 'unauthenticated' | 'unavailable';

export type Observe = (observation: IntakeObservation) => void;
