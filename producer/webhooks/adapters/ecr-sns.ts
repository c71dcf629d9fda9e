import type { Delivery, DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { TOLD_ONCE } from '#producer/webhooks/answers.ts';
import { ecrText } from '#producer/webhooks/ecr-event.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';
import { readBodyJson, readPayload } from '#producer/webhooks/payload.ts';
import { SnsMessage, snsUrl } from '#producer/webhooks/sns-message.ts';

/** Amazon ECR by EventBridge and an SNS topic. A 4xx is final for SNS; it repeats after 5xx alone. */
export const ecrSns: WebhookAdapter = {
  id: 'ecr-sns',
  auth: ['sns-signature'],
  maxBodyBytes: MAX_BODY_BYTES,
  answers: { ...TOLD_ONCE, unauthenticated: 403 },
  digestOnly: 'skip',
  registries: 'many',
  firstHand: true,
  events,
};

function events(delivery: Delivery): readonly DeliveryItem[] {
  const json = readBodyJson(delivery);
  if (!json.ok) return [json.skipped];
  const read = readPayload('body', SnsMessage, json.value);
  if (!read.ok) return [read.skipped];
  const { Type, Message, MessageId, SubscribeURL, TopicArn } = read.value;
  const from = 'request';
  switch (Type) {
    case 'Notification':
      return [ecrText('Message', Message, MessageId)];
    case 'SubscriptionConfirmation': {
      const confirm = snsUrl(SubscribeURL, TopicArn);
      if (confirm) return [{ from, skip: 'handshake', confirm }];
      return [{ from, skip: 'malformed', message: '`SubscribeURL` does not lead to SNS' }];
    }
    case 'UnsubscribeConfirmation':
      // Its SubscribeURL would subscribe again.
      return [{ from, skip: 'unsupported-event' }];
  }
}
