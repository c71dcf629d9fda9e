import type { Delivery, DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { TOLD_ONCE } from '#producer/webhooks/answers.ts';
import { ecrText } from '#producer/webhooks/ecr-event.ts';
import { memberOf } from '#producer/webhooks/json.ts';
import { MAX_BODY_BYTES, MAX_MEMBERS } from '#producer/webhooks/limits.ts';
import { readBodyJson } from '#producer/webhooks/payload.ts';

/**
 * Amazon ECR by EventBridge and an SQS queue: the answer to ReceiveMessage. A message whose job is in Redis is deleted;
 * one that cannot be read stays, so that the queue's redrive takes it to the dead letters.
 */
export const ecrSqs: WebhookAdapter = {
  id: 'ecr-sqs',
  // Who may write to the queue is IAM's to say.
  auth: ['pulled'],
  transport: 'pull',
  maxBodyBytes: MAX_BODY_BYTES,
  answers: { ...TOLD_ONCE, rejected: 400 },
  digestOnly: 'skip',
  registries: 'many',
  firstHand: true,
  events,
};

function events(delivery: Delivery): readonly DeliveryItem[] {
  const json = readBodyJson(delivery);
  if (!json.ok) return [json.skipped];
  const messages = memberOf(json.value, 'Messages') ?? [];
  if (!Array.isArray(messages)) return [{ from: 'body', skip: 'malformed', message: 'no list `Messages`' }];
  if (messages.length > MAX_MEMBERS) return [{ from: 'body', skip: 'too-large', message: 'too many messages' }];
  return messages.map((message, index) => ecrText(`Messages[${index}].Body`, memberOf(message, 'Body')));
}
