import * as z from 'zod';
import { duration, oneOrMore, wholeNumber } from '#model/settings.ts';

/** How often a registry is looked through for images of which no push was heard, and where in it. */
export const SweepOptions = z.strictObject({
  every: duration('1m', '90d').prefault('6h').describe('How often; at the start too when the last one is older.'),
  repositories: oneOrMore(z.string().min(1).max(255), 1000)
    .exactOptional()
    .describe('Pattern or list: repositories to look through; absent: all.'),
  list: oneOrMore(z.string().min(1).max(255), 100_000)
    .exactOptional()
    .describe('The repositories by name, where the registry does not list them.'),
  most: wholeNumber(1, 1_000_000)
    .default(1000)
    .describe('Images enqueued in one sweep at most; what is left waits for the next one.'),
});
export type SweepOptions = z.output<typeof SweepOptions>;
