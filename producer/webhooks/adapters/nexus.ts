import * as z from 'zod/mini';
import type { Delivery, DeliveryItem, SenderSettings, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ALWAYS_TAKEN } from '#producer/webhooks/answers.ts';
import { deleted } from '#producer/webhooks/deleted.ts';
import { memberOf, readJson } from '#producer/webhooks/json.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';
import { decoration, missing, present, readBodyJson, readPayload, Text } from '#producer/webhooks/payload.ts';

const Component = z.object({
  timestamp: decoration(z.string()),
  initiator: decoration(z.string()),
  repositoryName: Text,
  action: Text,
  component: z.nullish(z.object({ format: Text, name: Text, version: Text })),
});
type Component = z.infer<typeof Component>;

/**
 * Sonatype Nexus Repository 3. Which registry a repository is, `repositories` says: each has its own port or path, and
 * the payload names neither host nor digest.
 */
export const nexus: WebhookAdapter = {
  id: 'nexus',
  auth: ['none', 'hmac'],
  signature: {
    header: 'x-nexus-webhook-signature',
    algorithm: 'sha1',
    prefix: '',
    signed: (delivery) => [delivery.body, ...withoutWhitespace(delivery.body)],
  },
  maxBodyBytes: MAX_BODY_BYTES,
  answers: ALWAYS_TAKEN,
  digestOnly: 'skip',
  registries: 'many',
  firstHand: true,
  events,
};

/** The vendor documents the signature as one over the JSON without whitespace, whatever is then sent. */
function withoutWhitespace(body: Uint8Array): readonly Uint8Array[] {
  const json = readJson(body);
  return json.ok ? [Buffer.from(JSON.stringify(json.value))] : [];
}

function events(delivery: Delivery, settings: SenderSettings = {}): readonly DeliveryItem[] {
  const kind = delivery.headers['x-nexus-webhook-id'];
  const json = readBodyJson(delivery);
  if (!json.ok) return [json.skipped];
  // One for every blob and manifest, beside the component's own.
  const isAsset = kind === 'rm:repository:asset' || memberOf(json.value, 'asset') !== undefined;
  if (isAsset) return [{ from: 'asset', skip: 'unsupported-event' }];
  if (kind !== 'rm:repository:component') return [{ from: 'event', skip: 'unsupported-event' }];
  const read = readPayload('body', Component, json.value);
  if (!read.ok) return [read.skipped];
  const { action } = read.value;
  const from = 'component';
  if (action === 'DELETED') return [removed(from, read.value, settings)];
  if (!action) return [missing('body', 'action')];
  if (action !== 'CREATED' && action !== 'UPDATED') return [{ from, skip: 'not-a-push' }];
  return [pushed(from, read.value, delivery.headers['x-nexus-webhook-delivery'] ?? '', settings)];
}

function pushed(from: string, found: Component, id: string, { repositories }: SenderSettings): DeliveryItem {
  const { component, repositoryName, initiator, timestamp } = found;
  if (!component) return missing('body', 'component');
  if (component.format !== 'docker') return { from, skip: 'artifact-not-image' };
  const { name, version } = component;
  if (!name) return missing(from, 'component.name');
  if (!version) return missing(from, 'component.version');
  if (!repositoryName) return missing(from, 'repositoryName');
  if (repositories !== undefined && !Object.hasOwn(repositories, repositoryName)) {
    return { from, skip: 'host-not-allowed', message: 'the repository is not among `repositories` of this source' };
  }
  const event = {
    id,
    ...placeOf(repositories?.[repositoryName], name),
    ...present({ tag: version, timestamp, actor: initiator?.split('/', 1)[0] }),
  };
  return { from, event };
}

/** `place` is host[:port][/path], the path where repositories share a port. */
function placeOf(place: string | undefined, name: string): { hosts: readonly string[]; repository: string } {
  const [host = '', ...path] = place?.split('/') ?? [];
  return { hosts: host === '' ? [] : [host], repository: [...path, name].join('/') };
}

function removed(from: string, found: Component, { repositories }: SenderSettings): DeliveryItem {
  const { component, repositoryName, initiator } = found;
  const isElsewhere = repositories !== undefined && !Object.hasOwn(repositories, repositoryName ?? '');
  if (component?.format !== 'docker' || !component.name || isElsewhere) return { from, skip: 'delete' };
  const place = placeOf(repositories?.[repositoryName ?? ''], component.name);
  return deleted(from, { ...place, tag: component.version, actor: initiator?.split('/', 1)[0] });
}
