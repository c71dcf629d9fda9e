import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ALWAYS_TAKEN } from '#producer/webhooks/answers.ts';
import { envelopeEvents } from '#producer/webhooks/envelope-events.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';

/**
 * The container registry of a self-managed GitLab: a fork of Distribution with the same envelope. It drops an event
 * after ten failed tries, so that nothing but a wrong credential is refused.
 */
export const gitlab: WebhookAdapter = {
  id: 'gitlab',
  auth: ['none', 'bearer', 'basic', 'static-header'],
  maxBodyBytes: MAX_BODY_BYTES,
  answers: ALWAYS_TAKEN,
  digestOnly: 'skip',
  registries: 'one',
  firstHand: true,
  events: envelopeEvents,
};
