import * as z from 'zod';
import { listen } from '#model/settings.ts';
import { ApiOptions } from '#producer/admin/options.ts';

export const ProducerOptions = z.strictObject({
  listen: listen(8080).prefault({}).describe('Where webhooks, the API, health and metrics are served.'),
  api: ApiOptions.prefault({}).describe('The API for CI and operators.'),
});
export type ProducerOptions = z.output<typeof ProducerOptions>;
