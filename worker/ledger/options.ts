import * as z from 'zod';
import { wholeNumber } from '#model/settings.ts';

export const LedgerOptions = z.strictObject({
  history: wholeNumber(1, 10_000).default(100).describe('Changes kept for each image.'),
});
export type LedgerOptions = z.output<typeof LedgerOptions>;
