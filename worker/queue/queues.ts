import { sha256Hex } from '#model/digest.ts';
import { type DeliverJob, type ImageJob, LANES, type Lane } from '#model/job.ts';
import { createAnnouncements, waitingId } from '#queue/announcements.ts';
import { closeLaneQueues, openLaneQueues } from '#queue/lane-queues.ts';
import { type ImageLane, parsePayload, requireSmall } from '#queue/payload.ts';
import { nextTurn } from '#queue/turns.ts';
import type { RedisConnection } from '#redis/connection.ts';
import type { MemoryGuard } from '#redis/memory-guard.ts';
import { redisCall } from '#redis/redis-error.ts';

export interface Enqueued {
  /** Of the job that will do the work. */
  readonly id: string;
  /**
   * `duplicate`: the same image is waiting already, or is being worked on and will be once more after that. Nothing is
   * lost either way.
   */
  readonly state: 'queued' | 'duplicate';
}

export interface EnqueueOptions {
  /** Milliseconds before the job may start. */
  readonly delayMs?: number;
}

export interface LaneCounts {
  readonly lane: Lane;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  /** Dead letters. */
  readonly dead: number;
}

/** The way in. Resolves only when the job is in Redis; a rejection means "unknown", so send it again. */
export interface JobQueues extends AsyncDisposable {
  /** @throws AppError `job-malformed`, `redis-unavailable` */
  enqueueImage(lane: ImageLane, job: ImageJob, options?: EnqueueOptions): Promise<Enqueued>;
  /** Once per `id`, as long as the job is remembered. @throws AppError `job-malformed`, `redis-unavailable` */
  enqueueDelivery(job: DeliverJob, id: string): Promise<Enqueued>;
  /** Whether a job for the same waits in a lane, or runs. */
  isWaiting(lane: ImageLane, job: ImageJob): Promise<boolean>;
  counts(): Promise<readonly LaneCounts[]>;
  close(): Promise<void>;
}

export interface JobQueuesOptions {
  readonly connection: RedisConnection;
  readonly prefix: string;
  /** Refuses image jobs while Redis is nearly full; deliveries still drain. */
  readonly memory?: MemoryGuard;
}

/** A delivery blocks its double as long as it is kept: much longer than a relay that died takes to tell it again. */
const DELIVERIES_KEPT = { count: 10_000, age: 24 * 3600 };

const COUNTED = ['waiting', 'prioritized', 'active', 'delayed', 'failed'] as const;

export function createJobQueues({ connection, prefix, memory }: JobQueuesOptions): JobQueues {
  const queues = openLaneQueues(connection, prefix);
  const announcements = createAnnouncements(connection, prefix);

  async function enqueueImage(lane: ImageLane, job: ImageJob, options: EnqueueOptions = {}): Promise<Enqueued> {
    const { job: payload } = parsePayload(lane, job);
    requireSmall(lane, payload);
    await memory?.requireRoom();
    const queue = queues[lane];
    const id = waitingId(job);
    // On the same connection, so that it is there before the job is.
    const noted = job.kind === 'attest' ? announcements.note(lane, job) : undefined;
    noted?.catch(() => undefined);
    const priority = await nextTurn(connection, prefix, queue, lane, job);
    // Asked on the same connection just before: the queue answers with the id of the job that won, and only the one
    // that was there before tells whether that is ours.
    const before = connection.client.get(queue.toKey(`de:${id}`));
    before.catch(() => undefined);
    const added = queue.add(lane, payload, {
      priority,
      deduplication: { id, keepLastIfActive: true },
      ...(options.delayMs ? { delay: options.delayMs } : {}),
    });
    const winner = (await redisCall(`enqueue on ${lane}`, added)).id ?? '';
    const known = await redisCall(`enqueue on ${lane}`, before);
    await noted;
    return { id: winner, state: known === winner ? 'duplicate' : 'queued' };
  }

  async function isWaiting(lane: ImageLane, job: ImageJob): Promise<boolean> {
    const key = queues[lane].toKey(`de:${waitingId(job)}`);
    return (await redisCall(`look into ${lane}`, connection.client.exists(key))) === 1;
  }

  async function enqueueDelivery(job: DeliverJob, id: string): Promise<Enqueued> {
    const { job: payload } = parsePayload('deliver', job);
    requireSmall('deliver', payload);
    // The one custom job id: a delivery that was made must block its double. Hashed, for a colon is not allowed.
    const jobId = `d-${sha256Hex(id)}`;
    const exists = connection.client.exists(queues.deliver.toKey(jobId));
    exists.catch(() => undefined);
    await redisCall(
      'enqueue delivery',
      queues.deliver.add('deliver', payload, { jobId, removeOnComplete: DELIVERIES_KEPT }),
    );
    return { id: jobId, state: (await redisCall('enqueue delivery', exists)) === 1 ? 'duplicate' : 'queued' };
  }

  async function counts(): Promise<readonly LaneCounts[]> {
    return Promise.all(
      LANES.map(async (lane) => {
        const of = await redisCall('count jobs', queues[lane].getJobCounts(...COUNTED));
        return {
          lane,
          waiting: (of.waiting ?? 0) + (of.prioritized ?? 0),
          active: of.active ?? 0,
          delayed: of.delayed ?? 0,
          dead: of.failed ?? 0,
        };
      }),
    );
  }

  const close = () => closeLaneQueues(queues);
  return { enqueueImage, enqueueDelivery, isWaiting, counts, close, [Symbol.asyncDispose]: close };
}
