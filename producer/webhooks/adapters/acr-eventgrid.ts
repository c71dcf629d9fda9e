import * as z from 'zod/mini';
import { acrEvent } from '#producer/webhooks/acr-event.ts';
import type { Delivery, DeliveryItem, SenderSettings, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ALWAYS_TAKEN } from '#producer/webhooks/answers.ts';
import { memberOf, readJson } from '#producer/webhooks/json.ts';
import { MAX_BODY_BYTES, MAX_MEMBERS } from '#producer/webhooks/limits.ts';
import { missing, readBodyJson, readPayload, Text } from '#producer/webhooks/payload.ts';

/** Event Grid's own schema has `topic` and `eventType`, CloudEvents 1.0 `source` and `type`. */
const Envelope = z.object({ id: Text, topic: Text, source: Text, eventType: Text, type: Text, data: z.unknown() });

/** Origins of Azure's public cloud. */
const ORIGINS = ['eventgrid.azure.net'];

/**
 * An Azure Container Registry through Event Grid, in both schemas. 400 and 413 would give up a whole batch at once; for
 * the validation only 200 counts.
 */
export const acrEventgrid: WebhookAdapter = {
  id: 'acr-eventgrid',
  auth: ['query-token', 'static-header'],
  asksConsent: true,
  maxBodyBytes: MAX_BODY_BYTES,
  answers: { ...ALWAYS_TAKEN, unauthenticated: 403 },
  digestOnly: 'skip',
  registries: 'one',
  firstHand: true,
  isOurs,
  events,
};

/** Any customer of Azure can aim a subscription at us: handshakes too are answered for our own registry alone. */
function isOurs(delivery: Delivery, settings: SenderSettings): boolean {
  if (delivery.method === 'OPTIONS') return mayAsk(delivery.headers['webhook-request-origin'], settings);
  const json = readJson(delivery.body);
  if (!json.ok) return true;
  const events = Array.isArray(json.value) ? json.value : [json.value];
  return events.length === 0 || events.some((event) => isOfTopic(event, settings));
}

function mayAsk(origin: string | undefined, { allowedOrigins = ORIGINS }: SenderSettings): boolean {
  return origin !== undefined && allowedOrigins.includes(origin.toLowerCase());
}

// Resource ids do not tell upper from lower case.
function isOfTopic(event: unknown, { topic }: SenderSettings): boolean {
  if (topic === undefined) return true;
  const named = memberOf(event, 'topic') ?? memberOf(event, 'source');
  return typeof named === 'string' && named.toLowerCase() === topic.toLowerCase();
}

function events(delivery: Delivery, settings: SenderSettings = {}): readonly DeliveryItem[] {
  if (delivery.method === 'OPTIONS') return [consent(delivery.headers)];
  const json = readBodyJson(delivery);
  if (!json.ok) return [json.skipped];
  if (!Array.isArray(json.value)) return [item('', json.value, settings)];
  if (json.value.length > MAX_MEMBERS) {
    return [{ from: 'body', skip: 'too-large', message: `more than ${MAX_MEMBERS} events in one batch` }];
  }
  return json.value.map((member, index) => item(`[${index}]`, member, settings));
}

function item(at: string, member: unknown, settings: SenderSettings): DeliveryItem {
  const from = at || 'body';
  const read = readPayload(from, Envelope, member);
  if (!read.ok) return read.skipped;
  if (!isOfTopic(member, settings)) return { from, skip: 'unauthenticated', message: 'the event of another resource' };
  const { id, eventType, type, data } = read.value;
  const named = eventType ?? type ?? '';
  if (named === 'Microsoft.EventGrid.SubscriptionValidationEvent') {
    const code = memberOf(data, 'validationCode');
    if (typeof code !== 'string' || code === '') return missing(from, 'data.validationCode');
    return { from, skip: 'handshake', reply: { status: 200, body: { validationResponse: code } } };
  }
  const inside = at === '' ? 'data.' : `${at}.data.`;
  if (!ACTIONS.includes(named)) return { from: `${inside}target`, skip: 'unsupported-event' };
  return acrEvent({ inside, event: `${inside}target`, ...(id ? { id } : {}) }, data);
}

const ACTIONS = ['ImagePushed', 'ImageDeleted', 'ChartPushed', 'ChartDeleted'].map(
  (name) => `Microsoft.ContainerRegistry.${name}`,
);

/** Consent by CloudEvents' web hooks, section 4.2: headers alone give it, and no callback is called. */
function consent(headers: Delivery['headers']): DeliveryItem {
  const rate = headers['webhook-request-rate'] ?? '';
  const answer = {
    'WebHook-Allowed-Origin': headers['webhook-request-origin'] ?? '',
    'WebHook-Allowed-Rate': /^[1-9][0-9]{0,5}$/.test(rate) ? rate : '*',
    Allow: 'POST',
  };
  return { from: 'request', skip: 'handshake', reply: { status: 200, headers: answer } };
}
