import * as z from 'zod/mini';
import { isDigest } from '#model/digest.ts';
import type { Delivery, DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ALWAYS_TAKEN } from '#producer/webhooks/answers.ts';
import { contentMode } from '#producer/webhooks/cloud-events.ts';
import { deleted } from '#producer/webhooks/deleted.ts';
import { MAX_BODY_BYTES, MAX_MEMBERS } from '#producer/webhooks/limits.ts';
import { claimed, decoration, missing, present, readBodyJson, readPayload, Text } from '#producer/webhooks/payload.ts';

const Resource = z.object({ digest: Text, tag: Text, resource_url: decoration(z.string()) });

const EventData = z.object({
  resources: z.nullish(z.array(z.unknown())),
  repository: z.nullish(z.object({ repo_full_name: Text })),
});

const Default = z.object({
  type: Text,
  occur_at: decoration(z.union([z.number(), z.string()])),
  operator: decoration(z.string()),
  event_data: z.nullish(EventData),
});

const CloudEvent = z.object({
  type: Text,
  id: decoration(z.string()),
  time: decoration(z.string()),
  operator: decoration(z.string()),
  data: z.nullish(EventData),
});

/** One delivery of either format. */
interface Report {
  readonly kind: string;
  readonly id: (digest: string) => string;
  readonly timestamp?: string | undefined;
  readonly operator?: string | undefined;
  readonly data?: z.infer<typeof EventData> | null | undefined;
  readonly path: string;
}

/** Harbor's project webhooks, in the Default and in the CloudEvents format. Three failed tries and an event is gone. */
export const harbor: WebhookAdapter = {
  id: 'harbor',
  auth: ['none', 'bearer', 'basic', 'static-header'],
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
  if (contentMode(delivery.headers) === 'structured') {
    const read = readPayload('body', CloudEvent, json.value);
    if (!read.ok) return [read.skipped];
    const { type, id, time, operator, data } = read.value;
    // The id is new for each policy but the same on each try.
    return items({ kind: type ?? '', id: () => id ?? '', timestamp: time, operator, data, path: 'data' });
  }
  const read = readPayload('body', Default, json.value);
  if (!read.ok) return [read.skipped];
  const { type, occur_at: at, operator, event_data: data } = read.value;
  const id = (digest: string) => (at === undefined ? '' : `${at} ${digest}`);
  const timestamp = at === undefined ? undefined : String(at);
  return items({ kind: type ?? '', id, timestamp, operator, data, path: 'event_data' });
}

function items(report: Report): readonly DeliveryItem[] {
  const { kind, data, path } = report;
  if (kind === '') return [missing('event', 'type')];
  // Content that replication brings raises a push of its own at the destination.
  if (/^(?:REPLICATION$|harbor\.replication\.)/.test(kind)) return [{ from: 'event', skip: 'not-a-push' }];
  const action = Object.hasOwn(ACTIONS, kind) ? ACTIONS[kind] : undefined;
  if (action === undefined) return [{ from: 'event', skip: 'unsupported-event' }];
  const resources = data?.resources ?? [];
  if (resources.length === 0) return [missing('event', `${path}.resources`)];
  if (resources.length > MAX_MEMBERS) {
    return [{ from: 'event', skip: 'too-large', message: `more than ${MAX_MEMBERS} resources in one event` }];
  }
  return resources.map((resource, index) => {
    const from = `${path}.resources[${index}]`;
    if (action === 'not-a-push') return { from, skip: action };
    return action === 'push' ? pushed(from, resource, report) : removed(from, resource, report);
  });
}

/** Names of versions 2 and 1, and of CloudEvents. */
const ACTIONS: Readonly<Record<string, 'push' | 'not-a-push' | 'delete'>> = {
  PUSH_ARTIFACT: 'push',
  pushImage: 'push',
  'harbor.artifact.pushed': 'push',
  PULL_ARTIFACT: 'not-a-push',
  pullImage: 'not-a-push',
  'harbor.artifact.pulled': 'not-a-push',
  DELETE_ARTIFACT: 'delete',
  deleteImage: 'delete',
  'harbor.artifact.deleted': 'delete',
};

function pushed(from: string, resource: unknown, { id, timestamp, operator, data }: Report): DeliveryItem {
  const read = readPayload(from, Resource, resource);
  if (!read.ok) return read.skipped;
  const { digest, tag, resource_url: url } = read.value;
  const repository = data?.repository?.repo_full_name;
  if (!repository) return missing(from, 'repository.repo_full_name');
  if (!digest) return missing(from, 'digest');
  // An untagged push has its digest in the place of the tag.
  const named = isDigest(tag) ? undefined : tag;
  const event = {
    id: id(digest),
    // `resource_url` has no scheme: host[:port]/path.
    hosts: claimed(url?.split('/', 1)[0]),
    repository,
    digest,
    ...present({ tag: named, timestamp, actor: operator }),
  };
  return { from, event };
}

function removed(from: string, resource: unknown, { operator, data }: Report): DeliveryItem {
  const read = readPayload(from, Resource, resource);
  if (!read.ok) return { from, skip: 'delete' };
  const { digest, tag, resource_url: url } = read.value;
  const repository = data?.repository?.repo_full_name;
  const named = isDigest(tag) ? { digest: tag } : { digest, tag };
  return deleted(from, { hosts: claimed(url?.split('/', 1)[0]), repository, ...named, actor: operator });
}
