import { acrEvent } from '#producer/webhooks/acr-event.ts';
import type { Delivery, DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { TOLD_ONCE } from '#producer/webhooks/answers.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';
import { readBodyJson } from '#producer/webhooks/payload.ts';

/** The webhook of an Azure Container Registry. Each event is tried once. */
export const acr: WebhookAdapter = {
  id: 'acr',
  auth: ['bearer', 'basic', 'static-header'],
  maxBodyBytes: MAX_BODY_BYTES,
  answers: TOLD_ONCE,
  digestOnly: 'skip',
  registries: 'one',
  firstHand: true,
  events,
};

function events(delivery: Delivery): readonly DeliveryItem[] {
  const json = readBodyJson(delivery);
  return [json.ok ? acrEvent({ inside: '', event: 'event' }, json.value) : json.skipped];
}
