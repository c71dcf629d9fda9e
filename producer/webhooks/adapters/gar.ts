import * as z from 'zod/mini';
import { splitReference } from '#model/image-ref.ts';
import type { Delivery, DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ALWAYS_TAKEN } from '#producer/webhooks/answers.ts';
import { deleted } from '#producer/webhooks/deleted.ts';
import { memberOf, readJson } from '#producer/webhooks/json.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';
import { decoration, missing, present, readBodyJson, readPayload, Text } from '#producer/webhooks/payload.ts';

/** Members have been spelled both ways. */
const Message = z.object({
  data: Text,
  messageId: decoration(z.string()),
  message_id: decoration(z.string()),
  publishTime: decoration(z.string()),
  publish_time: decoration(z.string()),
});

/** Digest and tag are whole references: HOST/PROJECT/REPOSITORY/IMAGE@sha256:… and …:TAG. */
const Change = z.object({ action: Text, digest: Text, tag: Text });

/**
 * Google Artifact Registry by Pub/Sub push. What is not acknowledged comes again until the topic's retention ends, and
 * slows down the good messages behind it.
 */
export const gar: WebhookAdapter = {
  id: 'gar',
  auth: ['oidc'],
  maxBodyBytes: MAX_BODY_BYTES,
  answers: ALWAYS_TAKEN,
  digestOnly: 'skip',
  registries: 'many',
  firstHand: true,
  events,
};

function events(delivery: Delivery): readonly DeliveryItem[] {
  const json = readBodyJson(delivery);
  if (!json.ok) return [json.skipped];
  const message = memberOf(json.value, 'message');
  // Payload unwrapping: the body is the data, and the rest is in headers where the subscription writes them.
  if (message === undefined) {
    return [change('body', json.value, delivery.headers['x-goog-pubsub-message-id'] ?? '', undefined)];
  }
  const from = 'message.data';
  const read = readPayload('message', Message, message);
  if (!read.ok) return [read.skipped];
  const { data, messageId, message_id: other, publishTime, publish_time: at } = read.value;
  if (!data) return [missing(from, from)];
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data)) return [{ from, skip: 'malformed', message: 'not base64' }];
  const inner = readJson(Buffer.from(data, 'base64'));
  if (!inner.ok) return [{ from, skip: inner.reason, message: `in \`${from}\`, ${inner.message}` }];
  return [change(from, inner.value, messageId ?? other ?? '', publishTime ?? at)];
}

function change(from: string, value: unknown, id: string, timestamp: string | undefined): DeliveryItem {
  const read = readPayload(from, Change, value);
  if (!read.ok) return read.skipped;
  const { action, digest, tag } = read.value;
  if (!action) return missing(from, 'action');
  if (action === 'DELETE') return removed(from, digest, tag);
  if (action !== 'INSERT') return { from, skip: 'not-a-push' };
  if (!digest) return missing(from, 'digest');
  const whole = splitReference(digest);
  const tagged = tag ? splitReference(tag) : undefined;
  if (whole.registry === undefined) return { from, skip: 'missing-host', message: '`digest` names no registry' };
  if (whole.digest === undefined) return missing(from, 'digest');
  if (tagged && (tagged.registry !== whole.registry || tagged.path !== whole.path)) {
    return { from, skip: 'inconsistent' };
  }
  const event = {
    id,
    hosts: [whole.registry],
    repository: whole.path,
    digest: whole.digest,
    ...present({ tag: tagged?.tag, timestamp }),
  };
  return { from, event };
}

/** Deleting a tag names the tag alone; deleting an image its digest. */
function removed(from: string, digest: string | null | undefined, tag: string | null | undefined): DeliveryItem {
  const whole = digest ? splitReference(digest) : undefined;
  const tagged = tag ? splitReference(tag) : undefined;
  const { registry, path } = whole ?? tagged ?? {};
  if (registry === undefined || (tagged && (tagged.registry !== registry || tagged.path !== path))) {
    return { from, skip: 'delete' };
  }
  return deleted(from, { hosts: [registry], repository: path, digest: whole?.digest, tag: tagged?.tag });
}
