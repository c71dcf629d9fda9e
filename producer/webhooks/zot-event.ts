import * as z from 'zod/mini';
import { isDigest, sha256 } from '#model/digest.ts';
import type { PushEvent } from '#model/push-event.ts';
import type { Delivery, DeliveryItem } from '#producer/webhooks/adapter.ts';
import { contentMode, type ReceivedCloudEvent, readBinary, readStructured } from '#producer/webhooks/cloud-events.ts';
import { deleted } from '#producer/webhooks/deleted.ts';
import { readJson } from '#producer/webhooks/json.ts';
import { decoration, missing, present, readBodyJson, readPayload, Text } from '#producer/webhooks/payload.ts';

const Updated = z.object({
  name: Text,
  reference: Text,
  digest: Text,
  mediaType: Text,
  manifest: decoration(z.string()),
  actor: decoration(z.object({ name: decoration(z.string()) })),
});

const Manifest = z.object({
  subject: decoration(z.unknown()),
  config: decoration(z.object({ mediaType: z.string() })),
  layers: decoration(z.array(z.object({ mediaType: z.string() }))),
});

/** Bytes. An event holds its whole manifest as a string; manifests may have 4 MiB, and quotes are escaped. */
export const MAX_ZOT_BYTES = 8 * 1024 * 1024;

/** Zot's events by HTTP: binary as Zot sends them, and structured. */
export function zotEvents(delivery: Delivery): readonly DeliveryItem[] {
  if (contentMode(delivery.headers) !== 'structured') {
    const reading = readBinary('body', delivery.headers, delivery.body);
    return [reading.ok ? item('body', reading.event) : reading.skipped];
  }
  return zotMessages(delivery);
}

/** An event as it comes over NATS: a structured CloudEvent. */
export function zotMessages(delivery: Pick<Delivery, 'body'>): readonly DeliveryItem[] {
  const json = readBodyJson(delivery);
  if (!json.ok) return [json.skipped];
  const reading = readStructured('data', json.value);
  return [reading.ok ? item('data', reading.event) : reading.skipped];
}

function item(from: string, { id, type, time, data }: ReceivedCloudEvent): DeliveryItem {
  if (type === 'zotregistry.image.deleted') return removed(from, data);
  if (type !== 'zotregistry.image.updated') return { from, skip: 'unsupported-event' };
  const read = readPayload(from, Updated, data);
  if (!read.ok) return read.skipped;
  const { name, reference, digest, mediaType, manifest, actor } = read.value;
  if (!name) return missing(from, 'name');
  if (!digest) return missing(from, 'digest');
  const event = {
    id,
    // Nothing in the event identifies the registry.
    hosts: [],
    repository: name,
    digest,
    ...present({ tag: isDigest(reference) ? undefined : reference, mediaType, timestamp: time, actor: actor?.name }),
    ...(manifest === undefined ? {} : shownBy(manifest, digest)),
  };
  return { from, event };
}

function removed(from: string, data: unknown): DeliveryItem {
  const read = readPayload(from, Updated, data);
  if (!read.ok) return { from, skip: 'delete' };
  const { name, reference, digest, actor } = read.value;
  const named = isDigest(reference) ? { digest: reference } : { digest, tag: reference };
  return deleted(from, { hosts: [], repository: name, ...named, actor: actor?.name });
}

/** What the manifest itself proves; one that is not the digest's proves nothing, and the worker reads the real one. */
function shownBy(manifest: string, digest: string): Pick<PushEvent, 'proven' | 'references'> {
  if (sha256(manifest) !== digest) return {};
  const json = readJson(Buffer.from(manifest));
  const read = json.ok ? Manifest.safeParse(json.value) : undefined;
  if (!read?.success) return {};
  const { subject, config, layers } = read.data;
  if (subject !== undefined && subject !== null) return { proven: 'has-subject' };
  return config === undefined ? {} : { references: [config, ...(layers ?? [])] };
}
