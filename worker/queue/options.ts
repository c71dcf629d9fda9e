import * as z from 'zod';
import { duration, wholeNumber } from '#model/settings.ts';

/** How many jobs of each lane one worker process runs at a time. */
export const ConcurrencyOptions = z.strictObject({
  push: wholeNumber(0, 256).default(4).describe('Jobs of fresh pushes at a time; 0: not on this worker.'),
  cause: wholeNumber(0, 256).default(2).describe('Re-verifications at a time; 0: not on this worker.'),
  backfill: wholeNumber(0, 256).default(1).describe('Backfills at a time; 0: not on this worker.'),
  deliver: wholeNumber(0, 256).default(4).describe('Deliveries to sinks at a time; 0: not on this worker.'),
});
export type ConcurrencyOptions = z.output<typeof ConcurrencyOptions>;

export const RetryOptions = z
  .strictObject({
    attempts: wholeNumber(1, 100).default(14).describe('Tries of a job that fails in passing, before its dead letter.'),
  })
  .transform(({ attempts }) => ({ transientAttempts: attempts }));
export type RetryOptions = z.output<typeof RetryOptions>;

export const StopTimeout = duration('1s', '30m')
  .prefault('30s')
  .describe('How long a stop waits for running jobs before it cancels them.');
