import { AppError, type ErrorCode } from '#model/errors.ts';
import type { Lane } from '#model/job.ts';
import { createDeadLetters, type DeadLetters } from '#queue/dead-letters.ts';
import type { FinishedRun } from '#queue/processor.ts';
import { createJobQueues, type JobQueues, type LaneCounts } from '#queue/queues.ts';
import { startWorkers, type Workers, type WorkersOptions } from '#queue/workers.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import type { TestRedis } from '../../support/redis.ts';

/** Queues over a prefix of their own, and whatever workers a test starts on them. */
export interface Lanes extends AsyncDisposable {
  readonly prefix: string;
  readonly producer: RedisConnection;
  readonly queues: JobQueues;
  readonly dead: DeadLetters;
  /** Also notes each finished run, and lets a test wait for one. */
  work(options: Pick<WorkersOptions, 'handle'> & Partial<WorkersOptions>): Promise<Workers>;
  readonly errors: AppError[];
  /** The first finished run, past or to come, that the test wants. */
  finished(wanted: (run: FinishedRun) => boolean): Promise<FinishedRun>;
}

let count = 0;

export async function openLanes(redis: TestRedis): Promise<Lanes> {
  count += 1;
  const prefix = `lanes-${process.pid}-${count}`;
  const producer = await connectRedis({ url: redis.url, role: 'producer', name: 'test' });
  const queues = createJobQueues({ connection: producer, prefix });
  const dead = createDeadLetters({ connection: producer, prefix, queues });
  const connections: RedisConnection[] = [];
  const started: Workers[] = [];
  const runs: FinishedRun[] = [];
  const waiting = new Set<() => void>();
  const errors: AppError[] = [];

  async function work(options: Pick<WorkersOptions, 'handle'> & Partial<WorkersOptions>): Promise<Workers> {
    const connection = await connectRedis({ url: redis.url, role: 'worker', name: 'test' });
    connections.push(connection);
    const workers = await startWorkers({
      connection,
      prefix,
      lanes: { push: 2, cause: 2, deliver: 2 },
      now: () => new Date(),
      onFinished(run) {
        runs.push(run);
        for (const look of waiting) look();
      },
      onError: (error) => void errors.push(error),
      ...options,
    });
    started.push(workers);
    return workers;
  }

  function finished(wanted: (run: FinishedRun) => boolean): Promise<FinishedRun> {
    return new Promise((resolve) => {
      const look = () => {
        const run = runs.find(wanted);
        if (!run) return;
        waiting.delete(look);
        resolve(run);
      };
      waiting.add(look);
      look();
    });
  }

  return {
    prefix,
    producer,
    queues,
    dead,
    work,
    errors,
    finished,
    async [Symbol.asyncDispose]() {
      for (const workers of started) await workers.stop({ deadlineMs: 2000, graceMs: 500 });
      await dead.close();
      await queues.close();
      for (const connection of [producer, ...connections]) await connection.close();
    },
  };
}

export async function countOf(lanes: Lanes, lane: Lane): Promise<LaneCounts | undefined> {
  return (await lanes.queues.counts()).find((counts) => counts.lane === lane);
}

/** For `assert.rejects`. */
export function isCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof AppError && error.code === code;
}
