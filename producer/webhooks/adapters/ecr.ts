import * as z from 'zod/mini';
import type { Delivery, DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { TOLD_ONCE } from '#producer/webhooks/answers.ts';
import { type ReceivedCloudEvent, readStructured } from '#producer/webhooks/cloud-events.ts';
import { ecrEvent, ecrHost } from '#producer/webhooks/ecr-event.ts';
import { memberOf } from '#producer/webhooks/json.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';
import { missing, present, readBodyJson, readPayload, Text } from '#producer/webhooks/payload.ts';

const Transformed = z.object({ repositoryName: Text, imageDigest: Text, imageTag: Text, registryId: Text });

/** Amazon ECR by an EventBridge API destination, which sends again for a day after 429 and 5xx, and else never. */
export const ecr: WebhookAdapter = {
  id: 'ecr',
  auth: ['basic', 'static-header'],
  maxBodyBytes: MAX_BODY_BYTES,
  answers: TOLD_ONCE,
  digestOnly: 'skip',
  registries: 'many',
  firstHand: true,
  events,
};

function events(delivery: Delivery): readonly DeliveryItem[] {
  const json = readBodyJson(delivery);
  if (!json.ok) return [json.skipped];
  if (memberOf(json.value, 'specversion') === undefined) return [ecrEvent('', json.value)];
  const reading = readStructured('data', json.value);
  return [reading.ok ? transformed(reading.event) : reading.skipped];
}

/** What a widely copied input transformer makes of the event. */
function transformed({ id, type, source, time, data }: ReceivedCloudEvent): DeliveryItem {
  const from = 'data';
  if (type !== 'com.amazon.ecr.image.push') return { from, skip: 'unsupported-event' };
  const read = readPayload(from, Transformed, data);
  if (!read.ok) return read.skipped;
  const { repositoryName: repository, imageDigest: digest, imageTag: tag, registryId } = read.value;
  // urn:aws:ecr:<region>:<account>:repository/<name>
  const [, , , region, account] = source.split(':');
  if (!region) return missing(from, 'source');
  const owner = registryId || account;
  if (!owner) return missing(from, 'data.registryId');
  if (!repository) return missing(from, 'data.repositoryName');
  if (!digest) return missing(from, 'data.imageDigest');
  return {
    from,
    event: { id, hosts: [ecrHost(owner, region)], repository, digest, ...present({ tag, timestamp: time }) },
  };
}
