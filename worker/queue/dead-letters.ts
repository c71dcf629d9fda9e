import type { Job, Queue } from 'bullmq';
import { AppError } from '#model/errors.ts';
import { LANES, type Lane } from '#model/job.ts';
import { type DeadReason, parseDeadReason } from '#queue/dead-reason.ts';
import { closeLaneQueues, openLaneQueues } from '#queue/lane-queues.ts';
import { parsePayload } from '#queue/payload.ts';
import type { JobQueues } from '#queue/queues.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { redisCall } from '#redis/redis-error.ts';

/** A job that was given up. */
export interface DeadLetter {
  /** `<lane>-<job id>`. */
  readonly id: string;
  readonly lane: Lane;
  readonly reason: DeadReason;
  /** The payload as it lies in Redis. */
  readonly job: unknown;
  /** When it was given up; ISO 8601. */
  readonly at: string;
  readonly attempts: number;
}

export interface DeadLetterQuery {
  readonly lane?: Lane;
  readonly offset?: number;
  readonly limit: number;
}

export interface DeadLetters extends AsyncDisposable {
  /** Newest first. */
  list(query: DeadLetterQuery): Promise<readonly DeadLetter[]>;
  /**
   * Puts the job back into its lane; false when there is no such dead letter.
   * @throws AppError `job-malformed` when its payload can never be run
   */
  replay(id: string): Promise<boolean>;
  /** Answers how many were put back; those that can never be run stay. */
  replayAll(lane?: Lane): Promise<number>;
  /** Forgets it; false when there is no such dead letter. */
  drop(id: string): Promise<boolean>;
  close(): Promise<void>;
}

export interface DeadLettersOptions {
  readonly connection: RedisConnection;
  readonly prefix: string;
  /** Where replayed image jobs go in again. */
  readonly queues: Pick<JobQueues, 'enqueueImage'>;
}

const PAGE = 100;
/** As many as the queues keep. */
const MOST = 5000;

export function createDeadLetters({ connection, prefix, queues: entry }: DeadLettersOptions): DeadLetters {
  const queues = openLaneQueues(connection, prefix);

  async function find(id: string): Promise<{ lane: Lane; job: Job } | undefined> {
    const dash = id.indexOf('-');
    const lane = LANES.find((name) => name === id.slice(0, dash));
    const jobId = id.slice(dash + 1);
    if (!lane || !/^[A-Za-z0-9-]{1,128}$/.test(jobId)) return undefined;
    const job = await redisCall('find dead letter', queues[lane].getJob(jobId));
    // A job that was put back meanwhile is no dead letter any more.
    return job && (await redisCall('find dead letter', job.isFailed())) ? { lane, job } : undefined;
  }

  async function putBack(lane: Lane, job: Job): Promise<void> {
    const work = parsePayload(lane, job.data);
    if (work.lane === 'deliver') {
      // The same job again: its id is what keeps the delivery from being made twice.
      const retry = job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
      await redisCall('replay', retry);
      return;
    }
    // In by the front door, so that it meets a job for the same image that came meanwhile. First in, then out: a crash
    // between leaves one too many, never one too few.
    await entry.enqueueImage(work.lane, { ...work.job, cause: 'replay' });
    await redisCall('replay', job.remove());
  }

  async function list(query: DeadLetterQuery): Promise<readonly DeadLetter[]> {
    const offset = Math.min(query.offset ?? 0, MOST);
    const end = offset + Math.min(query.limit, MOST);
    const lanes = query.lane ? [query.lane] : LANES;
    const pages = await Promise.all(
      lanes.map(async (lane) => (await failedJobs(queues[lane], 0, end - 1)).map((job) => letter(lane, job))),
    );
    const newestFirst = pages.flat().sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
    return newestFirst.slice(offset, end);
  }

  async function replayAll(lane?: Lane): Promise<number> {
    let replayed = 0;
    for (const name of lane ? [lane] : LANES) {
      let stay = 0;
      for (let page = 0; page * PAGE < MOST; page++) {
        // What was put back has left the set, so the next page starts where those that stay end.
        const jobs = await failedJobs(queues[name], stay, stay + PAGE - 1);
        for (const job of jobs) {
          try {
            await putBack(name, job);
            replayed += 1;
          } catch (error) {
            if (!(error instanceof AppError && error.code === 'job-malformed')) throw error;
            stay += 1;
          }
        }
        if (jobs.length < PAGE) break;
      }
    }
    return replayed;
  }

  async function replay(id: string): Promise<boolean> {
    const found = await find(id);
    if (found) await putBack(found.lane, found.job);
    return found !== undefined;
  }

  async function drop(id: string): Promise<boolean> {
    const found = await find(id);
    if (found) await redisCall('drop dead letter', found.job.remove());
    return found !== undefined;
  }

  const close = () => closeLaneQueues(queues);
  return { list, replay, replayAll, drop, close, [Symbol.asyncDispose]: close };
}

async function failedJobs(queue: Queue, start: number, end: number): Promise<readonly Job[]> {
  const jobs = await redisCall('list dead letters', queue.getFailed(start, end));
  // A job that left the set between the two reads of the library comes as undefined.
  return jobs.filter((job): job is Job => job !== undefined);
}

function letter(lane: Lane, job: Job): DeadLetter {
  return {
    id: `${lane}-${job.id}`,
    lane,
    reason: parseDeadReason(job.failedReason),
    job: job.data,
    at: new Date(job.finishedOn ?? job.timestamp).toISOString(),
    attempts: job.attemptsMade,
  };
}
