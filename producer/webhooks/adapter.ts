import type { PushEvent, SkipReason } from '#model/push-event.ts';

/** A delivery after authentication: the raw body was bounded and its bytes are what signatures covered. */
export interface Delivery {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** One item of a delivery, before the central checks: an event, or why there is none. `from` is its path in the body. */
export type DeliveryItem =
  | { readonly from: string; readonly event: PushEvent }
  | { readonly from: string; readonly skip: SkipReason };

/** What an adapter's authentication may be; it is declared by the source's configuration and run centrally. */
export type AuthScheme = 'none' | 'bearer' | 'basic' | 'static-header';

/** How a sender wants its answers (docs/reference/intake.md): some retry a 4xx for ever. */
export interface AnswerRules {
  /** Status for accepted and for skipped deliveries. */
  readonly accepted: number;
  readonly unauthenticated: 401 | 403;
  /** Status for a malformed delivery. */
  readonly malformed: number;
  /** Status when nothing of a single-item delivery was enqueued; absent: as accepted. */
  readonly rejected?: number;
}

/** One sender: what its deliveries mean. Pure; everything else is central. */
export interface WebhookAdapter {
  readonly id: string;
  readonly auth: readonly AuthScheme[];
  /** Bytes. */
  readonly maxBodyBytes: number;
  readonly answers: AnswerRules;
  /** Whether untagged pushes are skipped unless the source says otherwise. */
  readonly digestOnly: 'skip' | 'enqueue';
  events(delivery: Delivery): readonly DeliveryItem[];
}
