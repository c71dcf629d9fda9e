import * as z from 'zod';
import { duration, wholeNumber } from '#model/settings.ts';

/** The rhythm of what happens without a push. The scheduler only wakes; the ledger says what is due. */
export const ReconcileOptions = z.strictObject({
  wake: duration('1s', '1h').prefault('30s').describe('How often the ledger is asked what is due.'),
  batch: wholeNumber(1, 10_000).default(200).describe('Images enqueued at one wake, at most.'),
  retryError: duration('10s', '1d').prefault('5m').describe('When an image that could not be checked is tried again.'),
  askAbove: wholeNumber(0, 1_000_000)
    .default(500)
    .describe('Images of a registry that sweeps attest at first contact; with more they wait for a backfill plan.'),
  certificateWarning: duration('1d', '400d')
    .prefault('30d')
    .describe('How long before its end a signing certificate is reported as expiring.'),
  revocation: duration('1m', '1d')
    .prefault('15m')
    .describe('How often lists of revoked certificates are read again, where a trust asks for them.'),
});
export type ReconcileOptions = z.output<typeof ReconcileOptions>;
