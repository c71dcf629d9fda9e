import { DelayedError, type Job, UnrecoverableError, WaitingError } from 'bullmq';
import { sha256Hex } from '#model/digest.ts';
import { AppError, toAppError } from '#model/errors.ts';
import type { Lane } from '#model/job.ts';
import type { Announcements } from '#queue/announcements.ts';
import { type DeadReason, deadReason, formatDeadReason } from '#queue/dead-reason.ts';
import { type LaneJob, parsePayload } from '#queue/payload.ts';
import type { PutOffs } from '#queue/put-offs.ts';
import { decideRetry, type RetryDecision, type RetryLimits } from '#queue/retry.ts';
import type { RunningJobs } from '#queue/running-jobs.ts';
import type { UnfinishedStarts } from '#queue/unfinished.ts';

export interface JobContext {
  /** Aborted when the worker must end, or when the job was given to another. */
  readonly signal: AbortSignal;
  readonly jobId: string;
  /** From 1; waits that we were told to make do not count. */
  readonly attempt: number;
  /** Keeps a short note with the job, for whoever looks. */
  progress(note: string): Promise<void>;
}

/** What became of one run of a job. */
export type RunOutcome = 'done' | 'retried' | 'throttled' | 'put-off' | 'released' | 'dead';

export interface FinishedRun {
  readonly lane: Lane;
  readonly jobId: string;
  readonly outcome: RunOutcome;
  readonly error?: AppError;
}

export interface DeadJob {
  readonly lane: Lane;
  readonly jobId: string;
  readonly reason: DeadReason;
  readonly attempts: number;
  /** As found in Redis; not checked when the reason is `job-malformed`. */
  readonly payload: unknown;
}

export interface ProcessorParts {
  readonly lane: Lane;
  readonly limits: RetryLimits;
  /** Deaths of workers after which a job is taken for their cause. */
  readonly poisonLimit: number;
  readonly unfinished: UnfinishedStarts;
  readonly announcements: Announcements;
  readonly putOffs: PutOffs;
  readonly running: RunningJobs;
  readonly now: () => Date;
  handle(work: LaneJob, context: JobContext): Promise<void>;
  /** Told before a job is buried, and awaited; when it fails the job is tried again instead. */
  onDead?(dead: DeadJob): Promise<void>;
  onFinished?(run: FinishedRun): void;
}

/** A failure that carries its own delay to the queue's backoff strategy. */
export class RetryLater extends Error {
  readonly delayMs: number;

  constructor(message: string, delayMs: number) {
    super(message);
    this.name = 'RetryLater';
    this.delayMs = delayMs;
  }
}

const BURY_AGAIN_MS = 5000;

/** One run: begin, read the payload, do the work, and turn its end into what the queue understands. */
export function createProcessor(parts: ProcessorParts): (job: Job, token?: string) => Promise<void> {
  return async (job, token) => {
    const jobId = job.id ?? '';
    const signal = parts.running.begin(jobId);
    let failure: AppError | undefined;
    try {
      await run(parts, job, signal);
    } catch (error) {
      // What broke after we were told to stop broke because of that.
      failure = signal.aborted ? toAppError(signal.reason) : toAppError(error);
    } finally {
      parts.running.end(jobId);
      // A count that stays behind costs one of several tries, no more.
      await parts.unfinished.end(jobId).catch(() => undefined);
    }
    if (failure) return await settle(parts, job, token, failure);
    // Only a job that was begun more often than it failed can have been put off.
    if (job.attemptsStarted > job.attemptsMade + 1) await parts.putOffs.forget(jobId).catch(() => undefined);
    parts.onFinished?.({ lane: parts.lane, jobId, outcome: 'done' });
  };
}

async function run(parts: ProcessorParts, job: Job, signal: AbortSignal): Promise<void> {
  const jobId = job.id ?? '';
  const begun = await parts.unfinished.begin(jobId);
  if (begun > parts.poisonLimit) {
    throw new AppError('job-poisoned', `${begun - 1} workers died while they ran this job`);
  }
  const work = parsePayload(parts.lane, job.data);
  signal.throwIfAborted();
  const context: JobContext = {
    signal,
    jobId,
    attempt: job.attemptsMade + 1,
    progress: (note) => job.updateProgress(note),
  };
  // Only these are for whoever announced the image.
  if (work.lane === 'deliver' || (work.job.kind !== 'attest' && work.job.kind !== 'sign'))
    return parts.handle(work, context);
  const announced = await parts.announcements.list(work.lane, work.job);
  await parts.handle({ ...work, announced }, context);
  // Only now: a run that fails or dies is repeated with all of them.
  await parts.announcements.settle(work.lane, work.job, announced);
}

async function settle(parts: ProcessorParts, job: Job, token: string | undefined, error: AppError): Promise<never> {
  const jobId = job.id ?? '';
  // Left out where no wait can be the last one: for most failures they do not matter.
  const putOffs = error.class === 'throttled' ? await parts.putOffs.count(jobId).catch(() => 0) : 0;
  const decision = decideRetry(error, triesOf(job, putOffs), parts.limits);
  const told = (outcome: RunOutcome) => parts.onFinished?.({ lane: parts.lane, jobId, outcome, error });
  switch (decision.kind) {
    case 'retry':
      told('retried');
      throw new RetryLater(formatDeadReason(deadReason(error)), decision.delayMs);
    case 'wait':
      told('throttled');
      await job.moveToDelayed(parts.now().getTime() + decision.delayMs, token);
      throw new DelayedError();
    case 'put-off': {
      told('put-off');
      const times = await parts.putOffs.add(jobId).catch(() => putOffs);
      await job.moveToDelayed(parts.now().getTime() + decision.delayMs(times), token);
      throw new DelayedError();
    }
    case 'release':
      told('released');
      await job.moveToWait(token);
      throw new WaitingError();
    case 'bury':
      await announce(parts, job, decision);
      await parts.putOffs.forget(jobId).catch(() => undefined);
      told('dead');
      throw new UnrecoverableError(formatDeadReason(decision.reason));
  }
}

async function announce(
  parts: ProcessorParts,
  job: Job,
  { reason }: Extract<RetryDecision, { kind: 'bury' }>,
): Promise<void> {
  try {
    await parts.onDead?.({
      lane: parts.lane,
      jobId: job.id ?? '',
      reason,
      attempts: job.attemptsMade + 1,
      payload: job.data,
    });
  } catch {
    throw new RetryLater(formatDeadReason(reason), BURY_AGAIN_MS);
  }
}

function triesOf(job: Job, putOffs: number): { failed: number; uncounted: number; spread: number } {
  const failed = job.attemptsMade;
  return {
    failed,
    uncounted: Math.max(job.attemptsStarted - 1 - failed - putOffs, 0),
    // Taken from the job, so that it needs no source of chance.
    spread: Number.parseInt(sha256Hex(`${job.id} ${job.attemptsStarted}`).slice(0, 8), 16) / 0xffffffff,
  };
}
