import type { AppError } from '#model/errors.ts';
import { type DeadReason, deadReason } from '#queue/dead-reason.ts';

/** What is done with a job that failed. */
export type RetryDecision =
  /** Again after the delay; counts as an attempt. */
  | { readonly kind: 'retry'; readonly delayMs: number }
  /** Again after the delay; we were told to wait, so it costs no attempt. */
  | { readonly kind: 'wait'; readonly delayMs: number }
  /** Again after a delay that grows with the times it was put off; it had not begun, so nothing is counted. */
  | { readonly kind: 'put-off'; delayMs(times: number): number }
  /** Back to the queue at once, for another worker. */
  | { readonly kind: 'release' }
  | { readonly kind: 'bury'; readonly reason: DeadReason };

/** How often a job was tried before the failure in question. */
export interface Tries {
  /** Attempts that failed and counted. */
  readonly failed: number;
  /** Starts that did not count: told to wait, released, or lost with their worker. */
  readonly uncounted: number;
  /** 0 to 1; different for each job, so that jobs that failed together do not come back together. */
  readonly spread: number;
}

export interface RetryLimits {
  /** Attempts at what may pass by itself. */
  readonly transientAttempts: number;
  /** Times that a job may be told to wait. */
  readonly waits: number;
  /** Milliseconds for which what was announced and is not there is looked for. */
  readonly visibleWithinMs: number;
}

/** About an hour of outage, some hours of being throttled, and two minutes of replication: longer is deletion. */
export const RETRY_LIMITS: RetryLimits = { transientAttempts: 14, waits: 100, visibleWithinMs: 120_000 };

const NOT_YET_DELAYS_MS = [1000, 2000, 4000, 8000, 15_000, 30_000] as const;
const LONGEST_NOT_YET_MS = 60_000;

const FIRST_DELAY_MS = 1000;
const LONGEST_BACKOFF_MS = 600_000;
const SHORTEST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 3_600_000;
const DEFAULT_WAIT_MS = 10_000;
const SHORTEST_PUT_OFF_MS = 50;
const FIRST_PUT_OFF_MS = 250;
const LONGEST_PUT_OFF_MS = 30_000;

/** The one place where a kind of failure becomes a kind of retry. */
export function decideRetry(error: AppError, tries: Tries, limits: RetryLimits = RETRY_LIMITS): RetryDecision {
  // The work was stopped from outside; nothing is known against the job.
  if (error.code === 'canceled') return { kind: 'release' };
  if (error.code === 'registry-resting' || error.code === 'over-budget') {
    return { kind: 'put-off', delayMs: (times) => putOffFor(error.retryAfterMs, times, tries.spread) };
  }
  const bury: RetryDecision = { kind: 'bury', reason: deadReason(error) };
  switch (error.class) {
    case 'permanent':
      return bury;
    case 'throttled':
      if (tries.uncounted >= limits.waits) return bury;
      return { kind: 'wait', delayMs: waitFor(error.retryAfterMs ?? DEFAULT_WAIT_MS, tries.spread) };
    case 'not-yet': {
      const delayMs = notYetDelay(tries.failed, limits.visibleWithinMs);
      return delayMs === undefined ? bury : { kind: 'retry', delayMs };
    }
    case 'transient': {
      if (tries.failed + 1 >= limits.transientAttempts) return bury;
      const backoff = jittered(Math.min(FIRST_DELAY_MS * 2 ** tries.failed, LONGEST_BACKOFF_MS), tries.spread);
      const asked = error.retryAfterMs === undefined ? 0 : waitFor(error.retryAfterMs, tries.spread);
      return { kind: 'retry', delayMs: Math.max(backoff, asked) };
    }
  }
}

/** Growing pauses, the last one so that the last look is at the end of the time; undefined once it is over. */
function notYetDelay(failed: number, withinMs: number): number | undefined {
  const pause = (at: number) => NOT_YET_DELAYS_MS[at] ?? LONGEST_NOT_YET_MS;
  let waited = 0;
  for (let at = 0; at < failed; at++) {
    waited += pause(at);
    if (waited >= withinMs) return undefined;
  }
  return withinMs > 0 ? Math.min(pause(failed), withinMs - waited) : undefined;
}

/** Never earlier than asked; a little later, so that the whole fleet does not come back in one moment. */
function waitFor(askedMs: number, spread: number): number {
  const bounded = Math.min(Math.max(askedMs, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
  return Math.round(bounded * (1 + spread * 0.1));
}

/**
 * A time that is known is kept to, and spread: all who waited for it come back. Without one it is asked again, less and
 * less often, since each asking costs as much as it would for those whose turn it is.
 */
function putOffFor(askedMs: number | undefined, times: number, spread: number): number {
  if (askedMs === undefined) return jittered(Math.min(FIRST_PUT_OFF_MS * 2 ** times, LONGEST_PUT_OFF_MS), spread);
  return Math.round(Math.min(askedMs, LONGEST_WAIT_MS) * (1 + spread / 4) + SHORTEST_PUT_OFF_MS * (1 + spread));
}

function jittered(delayMs: number, spread: number): number {
  return Math.round(delayMs * (0.5 + spread / 2));
}
