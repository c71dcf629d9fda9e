import * as z from 'zod';
import { DefaultBudget } from '#model/budget.ts';
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
    visibleWithin: duration('0s', '1h')
      .prefault('2m')
      .describe(
        'How long content that was announced and is not in the registry is looked for, before its dead letter.',
      ),
  })
  .transform(({ attempts, visibleWithin }) => ({ transientAttempts: attempts, visibleWithinMs: visibleWithin }));
export type RetryOptions = z.output<typeof RetryOptions>;

export const StopTimeout = duration('1s', '30m')
  .prefault('30s')
  .describe('How long a stop waits for running jobs before it cancels them.');

/** What all workers together may ask of a registry, and do for a source. */
export const BudgetOptions = z.strictObject({
  registry: DefaultBudget.prefault({}).describe('Of each registry without a budget of its own.'),
  source: DefaultBudget.prefault({}).describe('Of each source of pushes without a budget of its own.'),
  shares: z
    .strictObject({
      cause: wholeNumber(1, 100).default(50).describe('Of re-verifications.'),
      backfill: wholeNumber(1, 100).default(25).describe('Of backfills.'),
    })
    .prefault({})
    .describe('Percent of the budget of a registry that other work than pushes may take; the rest waits for pushes.'),
});
export type BudgetOptions = z.output<typeof BudgetOptions>;

/** When a registry that fails is left alone. */
export const BreakerOptions = z.strictObject({
  failures: wholeNumber(1, 1000)
    .default(5)
    .describe('Calls in a row without an answer, or with one of 5xx, after which a registry is left alone.'),
  rest: duration('100ms', '1h').prefault('5s').describe('How long, the first time; it doubles until it answers.'),
  longestRest: duration('1s', '1d').prefault('5m').describe('How long at most.'),
});
export type BreakerOptions = z.output<typeof BreakerOptions>;
