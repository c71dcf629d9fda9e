import type { ProcessParts } from '#compose/process-parts.ts';
import type { JobCalls, RegistryBudget } from '#compose/registry-budget.ts';
import { repeat } from '#compose/repeat.ts';
import type { JobReport } from '#jobs/job-report.ts';
import { AppError } from '#model/errors.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import type { ImageJob } from '#model/job.ts';
import type { Ledger } from '#model/ledger.ts';
import { chooseRule } from '#model/rule.ts';
import type { CataloguedRegistries } from '#oci/registries.ts';
import type { JobQueues } from '#queue/queues.ts';
import { untilHours } from '#reconcile/backfill-hours.ts';
import { pumpBackfill } from '#reconcile/backfill-pump.ts';
import { createBackfillMemory, createBackfillSamples } from '#redis/backfill-memory.ts';
import { createBudgets } from '#redis/budgets.ts';
import type { RedisConnection } from '#redis/connection.ts';

export interface BackfillWatchParts
  extends Pick<ProcessParts, 'config' | 'log' | 'now' | 'traceparent' | 'randomBytes'> {
  readonly store: RedisConnection;
  readonly registries: Pick<CataloguedRegistries, 'catalog' | 'nameOf'>;
  readonly ledger: Pick<Ledger, 'latest'>;
  readonly queues: Pick<JobQueues, 'enqueueImage' | 'isWaiting' | 'counts'>;
  readonly budget: Pick<RegistryBudget, 'pace'>;
}

/** The worker's part in a backfill. */
export interface BackfillWatch extends AsyncDisposable {
  /**
   * Before a job: a place among those of the backfill, or `skip` when nothing is to be done any more.
   * @throws AppError `over-budget` while the backfill is paused, outside its hours or has all its jobs.
   */
  admit(job: ImageJob, token: string): Promise<AsyncDisposable | 'skip'>;
  /** After a job that came to its end; measures what attesting took. */
  finished(job: ImageJob, reports: readonly JobReport[], calls: JobCalls, ms: number): Promise<void>;
  /** A job was given up. */
  failed(job: ImageJob): Promise<void>;
}

const PUMP_EVERY_MS = 1000;
/** Jobs that were taken from the queue ask anew so often whether the backfill goes on. */
const ASK_AGAIN_MS = 30_000;
const STATE_HOLDS_MS = 1000;

const NO_PLACE: AsyncDisposable = { [Symbol.asyncDispose]: async () => undefined };

export function watchBackfill(parts: BackfillWatchParts): BackfillWatch {
  const { config, store, registries, ledger, log, now } = parts;
  const { prefix } = config.redis;
  const memory = createBackfillMemory(store.client, { prefix });
  const samples = createBackfillSamples(store.client, { prefix });
  const budgets = createBudgets(store.client, { prefix });
  const token = Buffer.from(parts.randomBytes(12)).toString('base64url');
  const stop = new AbortController();
  let known: { readonly at: number; readonly backfill: ReturnType<typeof memory.current> } | undefined;

  /** Each job asks, and the answer seldom changes. */
  function current(): ReturnType<typeof memory.current> {
    const at = performance.now();
    if (!known || at - known.at > STATE_HOLDS_MS) {
      known = { at, backfill: memory.current() };
      known.backfill.catch(() => {
        known = undefined;
      });
    }
    return known.backfill;
  }

  const pump = () =>
    parts.budget.pace('backfill', 'backfill', () =>
      pumpBackfill({
        ...parts,
        memory,
        token,
        catalog: (registry) => registries.catalog(registry),
        isWanted: (image) => chooseRule(config.rules, image).rule !== undefined,
        signal: stop.signal,
      }),
    );
  const pumping = repeat(pump, PUMP_EVERY_MS, (error) => {
    if (!stop.signal.aborted) log.warn({ err: error }, 'backfill not enqueued further; it goes on where it was');
  });

  async function isDone({ image, receivedAt }: ImageJob): Promise<boolean> {
    const { registry, repository, digest, tag } = image;
    if (digest === undefined) return false;
    const named: ImageRef = { registry: registries.nameOf(registry), repository, digest };
    // Of one with a tag, another tag may have been judged: that is the engine's to tell apart.
    const states = await ledger.latest(formatImageRef(named));
    const own = tag === undefined ? '' : `${named.registry}/${repository}:${tag}`;
    return states.some(({ lastCheckedAt, verdict }) => {
      return lastCheckedAt !== undefined && lastCheckedAt > receivedAt && (verdict?.image.startsWith(own) ?? false);
    });
  }

  async function admit(job: ImageJob, place: string): Promise<AsyncDisposable | 'skip'> {
    if (job.cause !== 'backfill') return NO_PLACE;
    const backfill = await current();
    // Replayed long after its backfill: there is nothing left that could hold it back.
    if (!backfill) return NO_PLACE;
    if (backfill.state === 'canceled' || (await isDone(job))) return 'skip';
    const { state, hours, concurrency } = backfill;
    const waitMs = state === 'paused' ? ASK_AGAIN_MS : untilHours(hours, now());
    if (waitMs > 0) {
      const why = state === 'paused' ? 'paused' : 'outside its hours';
      throw new AppError('over-budget', `the backfill is ${why}`, { retryAfterMs: Math.min(waitMs, ASK_AGAIN_MS) });
    }
    const request = { lane: 'backfill', token: place, most: concurrency, mostOfLane: concurrency } as const;
    const slot = await budgets.slot({ of: { source: 'backfill' }, ...request });
    if (slot) return slot;
    throw new AppError('over-budget', `the backfill has the ${concurrency} jobs at a time that it may have`);
  }

  return {
    admit,
    async finished(job, reports, { requests, sentBytes }, ms) {
      const made = reports.some(
        (report) => report.outcome === 'done' && report.evidence.some(({ state }) => state === 'created'),
      );
      const registry = registries.nameOf(job.image.registry);
      if (made) await samples.add({ registry, requests, sentBytes, ms: Math.round(ms) });
      if (job.cause !== 'backfill') return;
      const backfill = await current();
      if (backfill) await memory.count(backfill.id, { done: 1 });
    },
    async failed(job) {
      const backfill = job.cause === 'backfill' ? await current() : undefined;
      if (backfill) await memory.count(backfill.id, { failed: 1 });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await pumping[Symbol.asyncDispose]();
    },
  };
}
