import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { TOLD_ONCE } from '#producer/webhooks/answers.ts';
import { MAX_ZOT_BYTES, zotEvents } from '#producer/webhooks/zot-event.ts';

/** Zot's `events` extension over HTTP: CloudEvents in binary mode. Each is sent once. */
export const zot: WebhookAdapter = {
  id: 'zot',
  auth: ['none', 'bearer', 'basic', 'static-header'],
  maxBodyBytes: MAX_ZOT_BYTES,
  answers: TOLD_ONCE,
  digestOnly: 'skip',
  registries: 'one',
  firstHand: true,
  events: zotEvents,
};
