import type { Lane } from '#model/job.ts';

/** How one lane's worker does. Times in milliseconds. */
export interface WorkerHealth {
  readonly lane: Lane;
  readonly running: number;
  readonly concurrency: number;
  /** Whether the process reaches Redis by its ordinary connection. */
  readonly connected: boolean;
  readonly sincePollMs: number;
  readonly sinceFinishMs: number;
}

/** An idle worker asks every five seconds, and at least every ten while jobs are delayed. */
const POLL_WITHIN_MS = 60_000;
/** Longer than any job may take. */
const FINISH_WITHIN_MS = 30 * 60_000;

/**
 * Why a worker should be started anew, or undefined. Known failures of such workers leave them running, connected and
 * deaf, so what counts is that jobs are asked for or come to an end. While Redis is away a restart would not help.
 */
export function whyNotAlive(health: WorkerHealth): string | undefined {
  if (!health.connected) return undefined;
  if (health.running >= health.concurrency) {
    if (health.sinceFinishMs <= FINISH_WITHIN_MS) return undefined;
    return `lane ${health.lane}: every slot is busy and no job ended in ${Math.round(health.sinceFinishMs / 1000)} s`;
  }
  if (health.sincePollMs <= POLL_WITHIN_MS || health.sinceFinishMs <= POLL_WITHIN_MS) return undefined;
  return `lane ${health.lane}: Redis was not asked for jobs in ${Math.round(health.sincePollMs / 1000)} s`;
}
