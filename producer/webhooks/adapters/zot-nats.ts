import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { TOLD_ONCE } from '#producer/webhooks/answers.ts';
import { MAX_ZOT_BYTES, zotMessages } from '#producer/webhooks/zot-event.ts';

/** Zot's events over NATS: structured CloudEvents, one a message, without headers that say so. */
export const zotNats: WebhookAdapter = {
  id: 'zot-nats',
  auth: ['pulled'],
  transport: 'pull',
  maxBodyBytes: MAX_ZOT_BYTES,
  answers: { ...TOLD_ONCE, rejected: 400 },
  digestOnly: 'skip',
  registries: 'one',
  firstHand: true,
  events: zotMessages,
};
