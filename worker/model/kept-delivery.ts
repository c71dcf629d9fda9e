import * as z from 'zod/mini';

/** What became of a delivery that was kept. */
export const KEPT_RESULTS = ['accepted', 'skipped', 'rejected', 'unauthenticated', 'unavailable'] as const;
export type KeptResult = (typeof KEPT_RESULTS)[number];

const Text = z.record(z.string(), z.string());

/**
 * A delivery as it came to the door, so that a person can see why it was refused and have it run again. Nothing secret
 * is left in it: what proved who sent it is taken out before it is kept.
 */
export const KeptDelivery = z.object({
  /** Also tells when: ids sort by time. */
  id: z.string(),
  /** When it came, ISO 8601. */
  at: z.string(),
  source: z.string(),
  sender: z.string(),
  result: z.enum(KEPT_RESULTS),
  /** Status of the answer. */
  status: z.number(),
  /** Of the first item that was refused, or of the whole; absent when nothing was. */
  reason: z.optional(z.string()),
  message: z.optional(z.string()),
  /** Items that were enqueued, and that were not. */
  enqueued: z.number(),
  skipped: z.number(),
  method: z.string(),
  headers: Text,
  query: Text,
  /** As text where it is UTF-8, else in base64. */
  body: z.object({ encoding: z.enum(['utf8', 'base64']), text: z.string() }),
  /** Bytes as sent; undefined when it was over the limit of its sender and never read. */
  bytes: z.optional(z.number()),
  /** Whether `body` is all of it. */
  whole: z.boolean(),
});
export type KeptDelivery = Readonly<z.infer<typeof KeptDelivery>>;

/** Which kept deliveries are meant; what is absent is not asked for. */
export interface KeptQuery {
  readonly source?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly limit: number;
}

/** How much of deliveries is kept. */
export interface KeptBounds {
  /** Of one source. */
  readonly most: number;
  readonly bytes: number;
  readonly ageMs: number;
}

/** Deliveries of the last days. */
export interface KeptDeliveries {
  /** Adds one, and lets the oldest of its source go where there are too many. */
  keep(delivery: KeptDelivery, bounds: KeptBounds): Promise<void>;
  get(id: string): Promise<KeptDelivery | undefined>;
  /** Newest first. */
  list(query: KeptQuery): Promise<readonly KeptDelivery[]>;
}

/** The bytes of its body, as far as they were kept. */
export function keptBody({ body }: KeptDelivery): Buffer {
  return Buffer.from(body.text, body.encoding);
}
