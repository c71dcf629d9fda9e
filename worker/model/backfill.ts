import * as z from 'zod/mini';
import { isDigest } from '#model/digest.ts';

/** Hours of the day at which a backfill may run, in a time zone. `from` later than `to` goes over midnight. */
export const BackfillHours = z.object({
  from: z.int().check(z.gte(0), z.lte(23)),
  to: z.int().check(z.gte(0), z.lte(24)),
  /** IANA name. */
  zone: z.string(),
});
export type BackfillHours = z.infer<typeof BackfillHours>;

export const BACKFILL_STATES = ['planned', 'running', 'paused', 'done', 'canceled'] as const;
export type BackfillState = (typeof BACKFILL_STATES)[number];

const count = z.int().check(z.gte(0));

/** The one backfill of an installation: what was planned, and how far it is. */
export const Backfill = z.object({
  id: z.string(),
  state: z.enum(BACKFILL_STATES),
  registries: z.array(z.string()),
  /** Patterns of repositories; absent: all of these registries. */
  repositories: z.optional(z.array(z.string())),
  /** Tags of images that were found. */
  images: count,
  plannedAt: z.string(),
  startedAt: z.optional(z.string()),
  endedAt: z.optional(z.string()),
  /** Jobs at a time, in all workers together. */
  concurrency: z.int().check(z.gte(1)),
  hours: z.optional(BackfillHours),
});
export type Backfill = z.infer<typeof Backfill>;

/** How far a backfill is; counts of tags, but for `done` and `failed`, which count jobs. */
export interface BackfillProgress {
  /** Tags that were looked at, in the order of the plan. */
  readonly position: number;
  readonly enqueued: number;
  /** Known already, waiting as a push, or another name of an image that was enqueued. */
  readonly covered: number;
  /** Not there any more. */
  readonly gone: number;
  readonly done: number;
  readonly failed: number;
}

export const BACKFILL_COUNTS = ['position', 'enqueued', 'covered', 'gone', 'done', 'failed'] as const;

const PlannedTag = z.tuple([z.string(), z.optional(z.custom<`sha256:${string}`>((value) => isDigest(value)))]);

/** Some tags of one repository; the digest where the list told it. */
export const BackfillChunk = z.object({
  registry: z.string(),
  repository: z.string(),
  tags: z.array(PlannedTag),
});
export type BackfillChunk = z.infer<typeof BackfillChunk>;

/** What attesting one image took. */
export const BackfillSample = z.object({
  registry: z.string(),
  requests: count,
  sentBytes: count,
  ms: count,
});
export type BackfillSample = z.infer<typeof BackfillSample>;

/** The backfill of an installation, in a store that outlives processes. */
export interface BackfillMemory {
  current(): Promise<(Backfill & { readonly progress: BackfillProgress }) | undefined>;
  /** Puts a plan in the place of the last backfill; false while that runs or is paused. */
  plan(backfill: Backfill, chunks: AsyncIterable<BackfillChunk>): Promise<boolean>;
  /** Changes it, unless another one took its place or its state is not one of these; false then. */
  change(
    id: string,
    from: readonly BackfillState[],
    change: Partial<Pick<Backfill, 'state' | 'concurrency' | 'hours' | 'startedAt' | 'endedAt'>>,
  ): Promise<boolean>;
  /** The chunk at a place of the plan, from 0. */
  chunk(id: string, at: number): Promise<BackfillChunk | undefined>;
  /** Counts jobs that ended. */
  count(id: string, counts: Partial<Pick<BackfillProgress, 'done' | 'failed'>>): Promise<void>;
  /** Counts a step from a position; false when another worker did it meanwhile, or another plan took its place. */
  advance(id: string, from: number, counts: Omit<BackfillProgress, 'done' | 'failed'>): Promise<boolean>;
  /** One worker enqueues at a time. */
  hold(token: string, ms: number): Promise<boolean>;
}
