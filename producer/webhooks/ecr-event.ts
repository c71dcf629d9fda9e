import * as z from 'zod/mini';
import type { DeliveryItem } from '#producer/webhooks/adapter.ts';
import { deleted } from '#producer/webhooks/deleted.ts';
import { memberOf, readJson } from '#producer/webhooks/json.ts';
import { missing, present, readPayload, Text } from '#producer/webhooks/payload.ts';

const ImageAction = z.object({
  id: Text,
  source: Text,
  'detail-type': Text,
  account: Text,
  region: Text,
  time: Text,
  detail: z.nullish(
    z.object({
      result: Text,
      'repository-name': Text,
      'image-digest': Text,
      'action-type': Text,
      'image-tag': Text,
      'manifest-media-type': Text,
      'artifact-media-type': Text,
    }),
  ),
});

/** Types that say that an image came by another way: its own push, or the source region's, tells of it. */
const NO_PUSH = ['ECR Pull Through Cache Action', 'ECR Replication Action'];

/** ECR's event as EventBridge writes it; `inside` is the path of the whole event, with a dot behind it. */
export function ecrEvent(inside: string, value: unknown, messageId?: string): DeliveryItem {
  const from = `${inside}detail`;
  const read = readPayload(inside === '' ? 'body' : inside.slice(0, -1), ImageAction, value);
  if (!read.ok) return read.skipped;
  const { id, account, region, time, detail, source, 'detail-type': type } = read.value;
  if (source && source !== 'aws.ecr') return { from, skip: 'unsupported-event' };
  if (!type) return missing(from, 'detail-type');
  if (NO_PUSH.includes(type)) return { from, skip: 'not-a-push' };
  if (type !== 'ECR Image Action') return { from, skip: 'unsupported-event' };
  const action = detail?.['action-type'];
  if (action === 'DELETE') {
    if (detail?.result !== 'SUCCESS' || !account || !region) return { from, skip: 'delete' };
    const { 'repository-name': repository, 'image-digest': digest, 'image-tag': tag } = detail;
    return deleted(from, { hosts: [ecrHost(account, region)], repository, digest, tag });
  }
  if (!detail || !action) return missing(from, 'detail.action-type');
  if (action !== 'PUSH') return { from, skip: 'not-a-push' };
  const { result, 'repository-name': repository, 'image-digest': digest } = detail;
  if (!result) return missing(from, 'detail.result');
  if (result !== 'SUCCESS') return { from, skip: 'not-successful' };
  if (!repository) return missing(from, 'detail.repository-name');
  if (!digest) return missing(from, 'detail.image-digest');
  if (!account || !region) return missing(from, account ? 'region' : 'account');
  const config = detail['artifact-media-type'];
  const event = {
    id: messageId ?? id ?? '',
    hosts: [ecrHost(account, region)],
    repository,
    digest,
    ...present({ tag: detail['image-tag'], mediaType: detail['manifest-media-type'], timestamp: time }),
    ...(config ? { references: [{ mediaType: config }] } : {}),
  };
  return { from, event };
}

/** The same event where it travels as a text inside another message. */
export function ecrText(from: string, text: unknown, messageId?: string): DeliveryItem {
  if (typeof text !== 'string') return { from, skip: 'malformed', message: 'a text with JSON in it is wanted' };
  const json = readJson(Buffer.from(text));
  if (!json.ok) return { from, skip: json.reason, message: `in \`${from}\`, ${json.message}` };
  // A queue behind a topic gets the topic's envelope, unless the topic is told to send the message alone.
  if (memberOf(json.value, 'Type') === 'Notification') {
    return ecrText(`${from}.Message`, memberOf(json.value, 'Message'), messageId);
  }
  return ecrEvent(`${from}.`, json.value, messageId);
}

/** The registry of an account in a region. Other partitions and dual-stack names are aliases of the registry. */
export function ecrHost(account: string, region: string): string {
  return `${account}.dkr.ecr.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}
