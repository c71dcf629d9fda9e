import { Queue } from 'bullmq';
import { AppError, toAppError } from '#model/errors.ts';
import { PollingWorker } from '#queue/polling-worker.ts';
import { within } from '#queue/within.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall, toRedisError } from '#redis/redis-error.ts';

/**
 * A regular wake-up. It only wakes: what is to be done is found in the ledger, so a tick that a busy or stopped fleet
 * skips costs lateness, never a check.
 */
export interface Wake {
  /** Letters, digits and dashes. */
  readonly id: string;
  /** Milliseconds; at least a second. */
  readonly everyMs: number;
}

export interface ScheduleOptions {
  readonly connection: RedisConnection;
  readonly prefix: string;
}

export interface WakeHandlerOptions extends ScheduleOptions {
  /** A failure is told and forgotten: the next tick comes. */
  handle(id: string, signal: AbortSignal): Promise<void>;
  onError?(error: AppError): void;
}

const QUEUE = 'wake';
const SHORTEST_MS = 1000;
const STOP_WITHIN_MS = 2000;

/**
 * Makes the wakes in Redis exactly these: new ones begin, changed ones take their new interval, others disappear.
 * @throws AppError `config-invalid`, `redis-unavailable`
 */
export async function ensureWakes(options: ScheduleOptions, wakes: readonly Wake[]): Promise<void> {
  for (const { id, everyMs } of wakes) {
    if (!/^[A-Za-z0-9-]{1,64}$/.test(id) || !Number.isSafeInteger(everyMs) || everyMs < SHORTEST_MS) {
      throw new AppError('config-invalid', `the wake ${JSON.stringify(id)} every ${everyMs} ms is not possible`, {
        field: 'schedule',
        mend: 'name it with letters, digits and dashes, and wake at most once a second',
      });
    }
  }
  await using queue = wakeQueue(options);
  const present = await redisCall('read schedule', queue.schedulers.getJobSchedulers());
  const intervals = new Map(present.map((scheduler) => [scheduler.key, Number(scheduler.every)]));
  for (const { id, everyMs } of wakes) {
    // Setting a wake again would move its next tick; a fleet that restarts often would never wake.
    if (intervals.get(id) === everyMs) continue;
    await redisCall('set schedule', queue.schedulers.upsertJobScheduler(id, { every: everyMs }, WAKE_JOB));
  }
  for (const id of intervals.keys()) {
    if (wakes.some((wake) => wake.id === id)) continue;
    await redisCall('remove schedule', queue.schedulers.removeJobScheduler(id));
  }
}

const WAKE_JOB = {
  name: QUEUE,
  data: {},
  opts: { attempts: 1, removeOnComplete: { count: 10 }, removeOnFail: { count: 10 }, stackTraceLimit: 0 },
};

/** Runs `handle` for each wake, one at a time per process. */
export async function startWakeHandler(options: WakeHandlerOptions): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const worker = new PollingWorker(
    QUEUE,
    async (job) => {
      try {
        await options.handle(job.repeatJobKey ?? '', stop.signal);
      } catch (error) {
        options.onError?.(toAppError(error));
      }
    },
    {
      connection: options.connection.client,
      prefix: createKeys(options.prefix).queue(QUEUE),
      lockDuration: 5000,
      stalledInterval: 2500,
    },
    () => performance.now(),
  );
  worker.on('error', (error) => options.onError?.(toRedisError(error, 'worker wake')));
  await worker.waitUntilReady();
  worker.run().catch((error: unknown) => options.onError?.(toRedisError(error, 'worker wake')));
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new AppError('canceled', 'the worker is stopping'));
      const orderly = options.connection.client.status === 'ready';
      if (!(await within(worker.close(!orderly), STOP_WITHIN_MS))) await worker.abandon();
    },
  };
}

function wakeQueue({ connection, prefix }: ScheduleOptions): AsyncDisposable & { readonly schedulers: Queue } {
  const schedulers = new Queue(QUEUE, { connection: connection.client, prefix: createKeys(prefix).queue(QUEUE) });
  schedulers.on('error', () => undefined);
  return { schedulers, [Symbol.asyncDispose]: () => schedulers.close() };
}
