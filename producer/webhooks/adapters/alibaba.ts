import * as z from 'zod/mini';
import type { Delivery, DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ALWAYS_TAKEN } from '#producer/webhooks/answers.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';
import { decoration, missing, present, readBodyJson, readPayload, Text } from '#producer/webhooks/payload.ts';

const Push = z.object({
  push_data: z.nullish(z.object({ digest: Text, tag: Text, pushed_at: decoration(z.string()) })),
  repository: z.nullish(z.object({ repo_full_name: Text })),
});

/** Alibaba Cloud's ACR trigger. The payload names a region and no host; the time has no zone. */
export const alibaba: WebhookAdapter = {
  id: 'alibaba',
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
  if (!repository?.repo_full_name) return [missing(from, 'repository.repo_full_name')];
  if (!push.digest && !push.tag) return [missing(from, 'push_data.digest')];
  const event = {
    id: push.pushed_at ?? '',
    hosts: [],
    repository: repository.repo_full_name,
    ...present({ tag: push.tag, digest: push.digest, timestamp: push.pushed_at }),
  };
  return [{ from, event }];
}
