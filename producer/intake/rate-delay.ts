import { MAX_RATE_DELAY_MS } from '#producer/intake/limits.ts';

const HOUR_MS = 60 * 60 * 1000;

/**
 * How long the rate guard puts off the job that is the `count`-th of its repository in an hour. Beyond the limit jobs
 * are spread to the allowed rate: none is lost, and a loop that feeds on its own pushes runs at that rate instead of
 * as fast as it can, while the alert calls for someone.
 */
export function rateDelayMs(count: number, ratePerHour: number): number {
  const excess = count - ratePerHour;
  return excess <= 0 ? 0 : Math.min(Math.ceil((excess * HOUR_MS) / ratePerHour), MAX_RATE_DELAY_MS);
}
