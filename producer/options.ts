import * as z from 'zod';
import { byteSize, duration, HttpUrl, listen, wholeNumber } from '#model/settings.ts';
import { ApiOptions } from '#producer/admin/options.ts';

/** Deliveries that are kept so that a person can see what became of them. */
const DeliveriesOptions = z.strictObject({
  keep: z
    .enum(['refused', 'all', 'none'])
    .default('refused')
    .describe('Which are kept: those that were refused in whole or in part, all of them, or none.'),
  most: wholeNumber(1, 10_000).default(200).describe('How many of each source.'),
  size: byteSize('64KiB', '1GiB').prefault('4MiB').describe('Room in Redis for those of each source.'),
  body: byteSize('1KiB', '8MiB')
    .prefault('64KiB')
    .describe('How much of one body. What is cut can be looked at, and not replayed.'),
  for: duration('1m', '90d').prefault('7d').describe('For how long.'),
});

export const ProducerOptions = z.strictObject({
  listen: listen(8080).prefault({}).describe('Where webhooks, the API, health and metrics are served.'),
  url: HttpUrl.exactOptional().describe(
    'Address at which senders reach it, for what attestry hooks setup prints; that of instance when absent.',
  ),
  deliveries: DeliveriesOptions.prefault({}).describe(
    'Deliveries to look at and to replay: attestry hooks deliveries. Without credentials, signatures and secrets.',
  ),
  api: ApiOptions.prefault({}).describe('The API for CI and operators.'),
});
export type ProducerOptions = z.output<typeof ProducerOptions>;
