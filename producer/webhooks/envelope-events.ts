import * as z from 'zod/mini';
import { IMAGE_INDEXES, IMAGE_MANIFESTS } from '#model/media-types.ts';
import type { Delivery, DeliveryItem } from '#producer/webhooks/adapter.ts';
import { deleted } from '#producer/webhooks/deleted.ts';
import { memberOf } from '#producer/webhooks/json.ts';
import { MAX_MEMBERS } from '#producer/webhooks/limits.ts';
import {
  claimed,
  decoration,
  hostOfUrl,
  missing,
  present,
  readBodyJson,
  readPayload,
} from '#producer/webhooks/payload.ts';

/** Manifests that are no OCI or schema 2 image; whether they can be attested is the worker's to say, loudly. */
const OTHER_MANIFESTS = [
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  'application/vnd.oci.artifact.manifest.v1+json',
];
const MANIFESTS: readonly string[] = [...IMAGE_MANIFESTS, ...IMAGE_INDEXES, ...OTHER_MANIFESTS];

/** One event of the envelope; only what is read. Version 3 writes empty strings where 2.8 leaves keys out. */
const RegistryEvent = z.object({
  id: decoration(z.string()),
  timestamp: decoration(z.string()),
  action: z.optional(z.string()),
  target: z.optional(
    z.object({
      mediaType: z.optional(z.string()),
      digest: z.optional(z.string()),
      repository: z.optional(z.string()),
      tag: z.optional(z.string()),
      url: decoration(z.string()),
      references: decoration(z.array(z.object({ mediaType: z.string() }))),
    }),
  ),
  request: decoration(z.object({ host: decoration(z.string()) })),
  actor: decoration(z.object({ name: decoration(z.string()) })),
});
type RegistryEvent = z.infer<typeof RegistryEvent>;

/** Every event of a notification's envelope; Distribution and its forks write the same. */
export function envelopeEvents(delivery: Pick<Delivery, 'body'>): readonly DeliveryItem[] {
  const json = readBodyJson(delivery);
  if (!json.ok) return [json.skipped];
  const list = memberOf(json.value, 'events');
  if (!Array.isArray(list)) return [{ from: 'body', skip: 'malformed', message: 'no list `events`' }];
  if (list.length > MAX_MEMBERS) {
    return [{ from: 'body', skip: 'too-large', message: `more than ${MAX_MEMBERS} events in one envelope` }];
  }
  return list.map((member, index) => item(`events[${index}]`, member));
}

function item(from: string, member: unknown): DeliveryItem {
  const read = readPayload(from, RegistryEvent, member);
  if (!read.ok) return read.skipped;
  const { action, target } = read.value;
  if (action === undefined || action === '') return missing(from, 'action');
  if (action === 'delete') return removed(from, read.value);
  if (action === 'pull' || action === 'mount') return { from, skip: 'not-a-push' };
  if (action !== 'push') return { from, skip: 'unsupported-event' };
  const mediaType = target?.mediaType;
  // Blobs come as application/octet-stream today; anything that is no manifest counts as one.
  if (mediaType && !MANIFESTS.includes(mediaType)) return { from, skip: 'blob-event' };
  return pushed(from, read.value);
}

/** Version 3 writes an empty digest where a tag was deleted; a layer has neither tag nor manifest to ask for. */
function removed(from: string, { target, request, actor }: RegistryEvent): DeliveryItem {
  const { repository, digest, tag, mediaType } = target ?? {};
  if (mediaType && !MANIFESTS.includes(mediaType)) return { from, skip: 'delete' };
  const hosts = claimed(hostOfUrl(target?.url), request?.host);
  return deleted(from, { hosts, repository, digest, tag, actor: actor?.name });
}

function pushed(from: string, { id, timestamp, target, request, actor }: RegistryEvent): DeliveryItem {
  const { mediaType, repository, digest, tag } = target ?? {};
  if (!mediaType) return missing(from, 'target.mediaType');
  if (!repository) return missing(from, 'target.repository');
  // Without the digest only the tag is left, and that still names the previous image when the event arrives.
  if (!digest) return missing(from, 'target.digest');
  const event = {
    id: id ?? '',
    // Both are the pushing client's word (Host, X-Forwarded-Host) unless the registry fixes its host.
    hosts: claimed(hostOfUrl(target?.url), request?.host),
    repository,
    digest,
    mediaType,
    ...present({ tag, timestamp, actor: actor?.name }),
    ...(target?.references ? { references: target.references } : {}),
  };
  return { from, event };
}
