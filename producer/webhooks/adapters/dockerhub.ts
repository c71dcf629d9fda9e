import * as z from 'zod/mini';
import type { Delivery, DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ALWAYS_TAKEN } from '#producer/webhooks/answers.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';
import { decoration, missing, present, readBodyJson, readPayload, Text } from '#producer/webhooks/payload.ts';

const Push = z.object({
  push_data: z.nullish(
    z.object({
      tag: Text,
      pusher: decoration(z.string()),
      // Seconds since 1970, once documented as a float.
      pushed_at: decoration(z.union([z.number(), z.string()])),
    }),
  ),
  repository: z.nullish(z.object({ repo_name: Text })),
});

/** Docker Hub's webhook: one trigger, no digest, no id, no signature. `callback_url` is never called. */
export const dockerhub: WebhookAdapter = {
  id: 'dockerhub',
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
  const read = readPayload('body', Push, json.value);
  if (!read.ok) return [read.skipped];
  const { push_data: push, repository } = read.value;
  const from = 'push_data';
  if (!push) return [missing('body', 'push_data')];
  if (!repository?.repo_name) return [missing(from, 'repository.repo_name')];
  if (!push.tag) return [missing(from, 'push_data.tag')];
  const at = push.pushed_at === undefined ? '' : String(push.pushed_at);
  const event = {
    // Nothing numbers the event; the second of the push, with the tag, is what a repetition has again.
    id: at,
    hosts: ['docker.io'],
    repository: repository.repo_name,
    ...present({ tag: push.tag, timestamp: at, actor: push.pusher }),
  };
  return [{ from, event }];
}
