import * as z from 'zod';
import { wholeNumber } from '#model/settings.ts';

/** What all workers together may do at once, and ask for in a second; 0: no limit. */
export interface BudgetLimits {
  readonly jobs: number;
  readonly requestsPerSecond: number;
}

const jobs = wholeNumber(0, 10_000);
const requestsPerSecond = wholeNumber(0, 100_000);
const JOBS = 'Jobs at a time, in all workers together; 0: no limit.';
const REQUESTS = 'Requests to registries a second, of all workers together; 0: no limit.';

/** The limits of whoever has none of its own. */
export const DefaultBudget = z.strictObject({
  jobs: jobs.default(0).describe(JOBS),
  requestsPerSecond: requestsPerSecond.default(0).describe(REQUESTS),
});

/** The limits of one registry or source, over the default ones. */
export const OwnBudget = z.strictObject({
  jobs: jobs.exactOptional().describe(JOBS),
  requestsPerSecond: requestsPerSecond.exactOptional().describe(REQUESTS),
});
export type OwnBudget = z.output<typeof OwnBudget>;
