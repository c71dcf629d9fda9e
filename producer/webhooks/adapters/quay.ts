import * as z from 'zod/mini';
import type { Delivery, DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ALWAYS_TAKEN } from '#producer/webhooks/answers.ts';
import { memberOf } from '#producer/webhooks/json.ts';
import { MAX_BODY_BYTES, MAX_MEMBERS } from '#producer/webhooks/limits.ts';
import { claimed, decoration, missing, readBodyJson, readPayload, Text } from '#producer/webhooks/payload.ts';

const RepositoryPush = z.object({
  repository: Text,
  docker_url: decoration(z.string()),
  updated_tags: z.array(z.unknown()),
});

/**
 * Quay's "Push to Repository" notification: tags without digests, and nothing that names or numbers the event. After
 * three failures Quay switches the notification off, so that it is refused as little as possible.
 */
export const quay: WebhookAdapter = {
  id: 'quay',
  auth: ['none', 'query-token'],
  maxBodyBytes: MAX_BODY_BYTES,
  answers: ALWAYS_TAKEN,
  digestOnly: 'skip',
  registries: 'one',
  firstHand: true,
  events,
};

function events(delivery: Delivery): readonly DeliveryItem[] {
  const json = readBodyJson(delivery);
  if (!json.ok) return [json.skipped];
  // The other notifications share all fields but this one.
  if (memberOf(json.value, 'repository') !== undefined && memberOf(json.value, 'updated_tags') === undefined) {
    return [{ from: 'body', skip: 'unsupported-event' }];
  }
  const read = readPayload('body', RepositoryPush, json.value);
  if (!read.ok) return [read.skipped];
  const { repository, docker_url: url, updated_tags: tags } = read.value;
  if (!repository) return [missing('body', 'repository')];
  if (tags.length === 0) return [missing('body', 'updated_tags')];
  if (tags.length > MAX_MEMBERS) {
    return [{ from: 'body', skip: 'too-large', message: `more than ${MAX_MEMBERS} tags in one notification` }];
  }
  return tags.map((tag, index) => {
    const from = `updated_tags[${index}]`;
    if (typeof tag !== 'string') return { from, skip: 'malformed', message: 'a tag is not a string' };
    if (tag === '') return missing(from, `updated_tags[${index}]`);
    // `docker_url` has no scheme: host[:port]/path.
    return { from, event: { id: '', hosts: claimed(url?.split('/', 1)[0]), repository, tag } };
  });
}
