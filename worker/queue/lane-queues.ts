import { type JobsOptions, Queue } from 'bullmq';
import { LANES, type Lane } from '#model/job.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createKeys } from '#redis/keys.ts';

/** Name of the strategy that a worker brings along; it takes the delay from the failure itself. */
export const BACKOFF = 'by-error-class';

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;

/**
 * `attempts` is out of reach on purpose: how often a job is tried depends on how it fails (retry.ts). Finished jobs are
 * kept for a look, failed ones as dead letters; both bounded, since Redis is memory.
 */
export const JOB_DEFAULTS = {
  attempts: 1_000_000,
  backoff: { type: BACKOFF },
  removeOnComplete: { count: 1000, age: DAY_S },
  removeOnFail: { count: 5000, age: 30 * DAY_S },
  // A stack trace would repeat the reason and fill memory.
  stackTraceLimit: 0,
} as const satisfies JobsOptions;

export type LaneQueues = Readonly<Record<Lane, Queue>>;

/** The queue of each lane over one connection, which stays the caller's to close. */
export function openLaneQueues(connection: RedisConnection, prefix: string): LaneQueues {
  const keys = createKeys(prefix);
  const open = (lane: Lane) => {
    const queue = new Queue(lane, {
      connection: connection.client,
      prefix: keys.queue(lane),
      defaultJobOptions: JOB_DEFAULTS,
      streams: { events: { maxLen: 1000 } },
    });
    // The connection tells its owner of failures; without a listener the process would end.
    queue.on('error', () => undefined);
    return queue;
  };
  return { push: open('push'), cause: open('cause'), backfill: open('backfill'), deliver: open('deliver') };
}

export async function closeLaneQueues(queues: LaneQueues): Promise<void> {
  await Promise.all(LANES.map((lane) => queues[lane].close().catch(() => undefined)));
}
