import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { zot } from '#producer/webhooks/adapters/zot.ts';
import { TOLD_ONCE } from '#producer/webhooks/answers.ts';

const STRUCTURED = { 'content-type': 'application/cloudevents+json' };

/** Zot's events over NATS: structured CloudEvents, one a message. A message has no headers that say so. */
export const zotNats: WebhookAdapter = {
  ...zot,
  id: 'zot-nats',
  auth: ['pulled'],
  transport: 'pull',
  answers: { ...TOLD_ONCE, rejected: 400 },
  events: (delivery) => zot.events({ ...delivery, headers: STRUCTURED }),
};
