import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ALWAYS_TAKEN } from '#producer/webhooks/answers.ts';
import { envelopeEvents } from '#producer/webhooks/envelope-events.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';

/**
 * CNCF Distribution's `notifications` endpoint. It sends again for ever, in order, whatever is not answered 2xx: one
 * malformed event answered with a 4xx would stop everything behind it, so only a wrong credential gets one.
 */
export const distribution: WebhookAdapter = {
  id: 'distribution',
  auth: ['none', 'bearer', 'basic', 'static-header'],
  maxBodyBytes: MAX_BODY_BYTES,
  answers: ALWAYS_TAKEN,
  digestOnly: 'skip',
  registries: 'one',
  firstHand: true,
  events: envelopeEvents,
};
