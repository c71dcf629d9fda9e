import { AppError } from '#model/errors.ts';
import { LANES, type Lane } from '#model/job.ts';
import { createAnnouncements } from '#queue/announcements.ts';
import { BACKOFF } from '#queue/lane-queues.ts';
import type { LaneJob } from '#queue/payload.ts';
import { PollingWorker } from '#queue/polling-worker.ts';
import { createProcessor, type DeadJob, type FinishedRun, type JobContext, RetryLater } from '#queue/processor.ts';
import { createPutOffs } from '#queue/put-offs.ts';
import { RETRY_LIMITS, type RetryLimits } from '#queue/retry.ts';
import { RunningJobs } from '#queue/running-jobs.ts';
import { createUnfinishedStarts } from '#queue/unfinished.ts';
import { within } from '#queue/within.ts';
import type { WorkerHealth } from '#queue/worker-health.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createKeys } from '#redis/keys.ts';
import { toRedisError } from '#redis/redis-error.ts';

export interface WorkersOptions {
  /** Of the role `worker`: its blocking reads are never given up. */
  readonly connection: RedisConnection;
  readonly prefix: string;
  /** Jobs at a time per lane; a lane that is not named is not worked on. */
  readonly lanes: Partial<Readonly<Record<Lane, number>>>;
  readonly now: () => Date;
  readonly limits?: Partial<RetryLimits>;
  readonly poisonLimit?: number;
  handle(work: LaneJob, context: JobContext): Promise<void>;
  onDead?(dead: DeadJob): Promise<void>;
  onFinished?(run: FinishedRun): void;
  onError?(error: AppError): void;
}

export interface StopOptions {
  /** Milliseconds for running jobs to come to their end. */
  readonly deadlineMs: number;
  /** Milliseconds for jobs that were told to stop. */
  readonly graceMs?: number;
}

export interface Workers {
  health(): readonly WorkerHealth[];
  /** Takes no more jobs, waits, then aborts what still runs; its jobs go to other workers. */
  stop(options: StopOptions): Promise<void>;
}

/**
 * A dead worker's job is taken up within a lock and two looks for stalled jobs: 10 s at worst. A longer lock would
 * delay that, a shorter one would take jobs from workers that are merely busy.
 */
const LOCK_MS = 5000;
const STALLED_LOOK_MS = 2500;
const POISON_LIMIT = 4;
const GRACE_MS = 3000;

/** @throws AppError `internal` when the connection is of another role */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  if (options.connection.role !== 'worker') {
    throw new AppError('internal', `workers need a connection of the role worker, not ${options.connection.role}`);
  }
  const lanes = LANES.flatMap((lane) => {
    const concurrency = options.lanes[lane] ?? 0;
    return concurrency > 0 ? [startLane(options, lane, concurrency)] : [];
  });
  await Promise.all(lanes.map(({ worker }) => worker.waitUntilReady()));
  for (const { worker } of lanes)
    worker.run().catch((error: unknown) => options.onError?.(toRedisError(error, 'worker')));

  async function stop({ deadlineMs, graceMs = GRACE_MS }: StopOptions): Promise<void> {
    // Without Redis no end can be told, and an orderly close would wait for one.
    const orderly = options.connection.client.status === 'ready';
    const closed = Promise.all(lanes.map(({ worker }) => worker.close(!orderly)));
    if (orderly && (await within(closed, deadlineMs))) return;
    const reason = new AppError('canceled', 'the worker is stopping');
    for (const { running } of lanes) running.abortAll(reason);
    const ended = Promise.all([closed, ...lanes.map(({ running }) => running.idle())]);
    if (await within(ended, graceMs)) return;
    // Jobs that do not listen are left to the stalled check of another worker.
    await Promise.all(lanes.map(({ worker }) => worker.abandon()));
  }

  return { health: () => lanes.map((lane) => lane.health()), stop };
}

function startLane(options: WorkersOptions, lane: Lane, concurrency: number) {
  const running = new RunningJobs();
  let finishedAt = performance.now();
  const poisonLimit = options.poisonLimit ?? POISON_LIMIT;
  const processor = createProcessor({
    lane,
    limits: { ...RETRY_LIMITS, ...options.limits },
    poisonLimit,
    unfinished: createUnfinishedStarts(options.connection, options.prefix, lane),
    announcements: createAnnouncements(options.connection, options.prefix),
    putOffs: createPutOffs(options.connection, options.prefix, lane),
    running,
    now: options.now,
    handle: options.handle,
    ...(options.onDead ? { onDead: options.onDead } : {}),
    onFinished(run) {
      finishedAt = performance.now();
      options.onFinished?.(run);
    },
  });
  const worker = new PollingWorker(
    lane,
    processor,
    {
      connection: options.connection.client,
      prefix: createKeys(options.prefix).queue(lane),
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_LOOK_MS,
      // Ours comes first, and tells deaths from outages of Redis.
      maxStalledCount: poisonLimit + 10,
      runRetryDelay: 1000,
      settings: {
        backoffStrategy: (_attempts, type, error) =>
          type === BACKOFF && error instanceof RetryLater ? error.delayMs : 1000,
      },
    },
    () => performance.now(),
  );
  worker.on('error', (error) => options.onError?.(toRedisError(error, `worker ${lane}`)));
  worker.on('lockRenewalFailed', (jobIds) => {
    const reason = new AppError('lock-lost', 'the job was given to another worker');
    for (const id of jobIds) running.abort(id, reason);
  });
  const health = (): WorkerHealth => ({
    lane,
    running: running.size,
    concurrency,
    connected: options.connection.client.status === 'ready',
    sincePollMs: performance.now() - worker.polledAt,
    sinceFinishMs: performance.now() - finishedAt,
  });
  return { worker, running, health };
}
