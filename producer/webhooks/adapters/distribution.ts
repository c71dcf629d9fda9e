import * as z from 'zod/mini';
import { IMAGE_INDEXES, IMAGE_MANIFESTS } from '#model/media-types.ts';
import type { Delivery, DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { memberOf, readJson } from '#producer/webhooks/json.ts';
import { MAX_BODY_BYTES, MAX_MEMBERS } from '#producer/webhooks/limits.ts';

/** Manifests that are no OCI or schema 2 image; whether they can be attested is the worker's to say, loudly. */
const OTHER_MANIFESTS = [
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  'application/vnd.oci.artifact.manifest.v1+json',
];
const MANIFESTS: readonly string[] = [...IMAGE_MANIFESTS, ...IMAGE_INDEXES, ...OTHER_MANIFESTS];

/** Members that nothing hinges on: a wrong type counts as absent and does not cost the event. */
function decoration<T extends z.ZodMiniType>(schema: T) {
  return z.catch(z.optional(schema), undefined);
}

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

/**
 * CNCF Distribution's `notifications` endpoint. It sends again for ever, in order, whatever is not answered 2xx: one
 * malformed event answered with a 4xx would stop everything behind it, so only a wrong credential gets one.
 */
export const distribution: WebhookAdapter = {
  id: 'distribution',
  auth: ['none', 'bearer', 'basic', 'static-header'],
  maxBodyBytes: MAX_BODY_BYTES,
  answers: { accepted: 202, skipped: 200, unauthenticated: 401, malformed: 200, rejected: 200 },
  digestOnly: 'skip',
  registries: 'one',
  events,
};

function events(delivery: Delivery): readonly DeliveryItem[] {
  const json = readJson(delivery.body);
  if (!json.ok) return [{ from: 'body', skip: json.reason, message: json.message }];
  const list = memberOf(json.value, 'events');
  if (!Array.isArray(list)) return [{ from: 'body', skip: 'malformed', message: 'no list `events`' }];
  if (list.length > MAX_MEMBERS) {
    return [{ from: 'body', skip: 'too-large', message: `more than ${MAX_MEMBERS} events in one envelope` }];
  }
  return list.map((member, index) => item(`events[${index}]`, member));
}

function item(from: string, member: unknown): DeliveryItem {
  const parsed = RegistryEvent.safeParse(member);
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.join('.');
    return { from, skip: 'malformed', message: at ? `\`${at}\` has the wrong type` : 'not an object' };
  }
  const { action, target } = parsed.data;
  if (action === undefined || action === '') return { from, skip: 'missing-field', message: 'no `action`' };
  if (action === 'delete') return { from, skip: 'delete' };
  if (action === 'pull' || action === 'mount') return { from, skip: 'not-a-push' };
  if (action !== 'push') return { from, skip: 'unsupported-event' };
  const mediaType = target?.mediaType;
  // Blobs come as application/octet-stream today; anything that is no manifest counts as one.
  if (mediaType && !MANIFESTS.includes(mediaType)) return { from, skip: 'blob-event' };
  return pushed(from, parsed.data);
}

function pushed(from: string, { id, timestamp, target, request, actor }: RegistryEvent): DeliveryItem {
  const { mediaType, repository, digest, tag } = target ?? {};
  if (!mediaType) return { from, skip: 'missing-field', message: 'no `target.mediaType`' };
  if (!repository) return { from, skip: 'missing-field', message: 'no `target.repository`' };
  // Without the digest only the tag is left, and that still names the previous image when the event arrives.
  if (!digest) return { from, skip: 'missing-field', message: 'no `target.digest`' };
  const event = {
    id: id ?? '',
    // Both are the pushing client's word (Host, X-Forwarded-Host) unless the registry fixes its host.
    hosts: [hostOf(target?.url), request?.host].filter((host): host is string => Boolean(host)),
    repository,
    digest,
    mediaType,
    ...(tag ? { tag } : {}),
    ...(timestamp ? { timestamp } : {}),
    ...(target?.references ? { references: target.references } : {}),
    ...(actor?.name ? { actor: actor.name } : {}),
  };
  return { from, event };
}

function hostOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).host : undefined;
}
