import * as z from 'zod';
import { listen } from '#model/settings.ts';

export const LogOptions = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').describe('Least level written.'),
  format: z.enum(['json', 'pretty']).default('json').describe('json: a line each; pretty: for a person at a terminal.'),
});
export type LogOptions = z.output<typeof LogOptions>;

/** Where a worker serves its metrics and health. */
export const MetricsListenOptions = listen(9464);
export type MetricsListenOptions = z.output<typeof MetricsListenOptions>;
