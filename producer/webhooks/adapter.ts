import type { PushEvent, SkipReason } from '#model/push-event.ts';

/** A delivery after authentication: the raw body was bounded and its bytes are what signatures covered. */
export interface Delivery {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Why one item has no event. */
export interface SkippedItem {
  readonly from: string;
  readonly skip: SkipReason;
  /** One sentence for the caller: which field, and the mend. Never quotes the payload at length. */
  readonly message?: string;
  /** The status that the protocol prescribes for this very refusal, e.g. 415 for an unknown CloudEvents format. */
  readonly status?: number;
}

/** One item of a delivery, before the central checks: an event, or why there is none. `from` is its path in the body. */
export type DeliveryItem = { readonly from: string; readonly event: PushEvent } | SkippedItem;

/** What an adapter's authentication may be; it is declared by the source's configuration and run centrally. */
export const AUTH_SCHEMES = ['none', 'bearer', 'basic', 'static-header'] as const;
export type AuthScheme = (typeof AUTH_SCHEMES)[number];

/** How a sender wants its answers: some retry a 4xx for ever, some take it as final. */
export interface AnswerRules {
  /** Something was enqueued. */
  readonly accepted: number;
  /** Nothing was enqueued, on purpose. */
  readonly skipped: number;
  readonly unauthenticated: 401 | 403;
  /** The body could not be read at all; a 2xx for senders that would send the same bytes again for ever. */
  readonly malformed: number;
  /** Nothing was enqueued, and the sender is at fault for at least one item; as `skipped` for machines. */
  readonly rejected: number;
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
  /** Whether a source may speak for several registries, because each item names its own. */
  readonly registries: 'one' | 'many';
  /** Never throws: what cannot be read is an item that is skipped. */
  events(delivery: Delivery): readonly DeliveryItem[];
}
