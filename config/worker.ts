import * as z from 'zod';
import { BreakerOptions, BudgetOptions, ConcurrencyOptions, RetryOptions, StopTimeout } from '#queue/options.ts';
import { MetricsListenOptions } from '#telemetry/options.ts';

/** The section `worker`: what one worker process does. */
export const WorkerOptions = z.strictObject({
  concurrency: ConcurrencyOptions.prefault({}).describe('Jobs at a time, by lane.'),
  retry: RetryOptions.prefault({}).describe('What happens to jobs that fail.'),
  budgets: BudgetOptions.prefault({}).describe('What registries and sources get of all workers together.'),
  breaker: BreakerOptions.prefault({}).describe('When a registry that fails is left alone.'),
  listen: MetricsListenOptions.prefault({}).describe('Where metrics and health are served.'),
  stopTimeout: StopTimeout,
});
export type WorkerOptions = z.output<typeof WorkerOptions>;
