import * as z from 'zod/mini';
import { IMAGE_INDEXES } from '#model/media-types.ts';
import type { Delivery, DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { TOLD_ONCE } from '#producer/webhooks/answers.ts';
import { deleted } from '#producer/webhooks/deleted.ts';
import { payloadBytes } from '#producer/webhooks/form-payload.ts';
import { memberOf } from '#producer/webhooks/json.ts';
import { claimed, decoration, missing, present, readBodyJson, readPayload, Text } from '#producer/webhooks/payload.ts';

const Package = z.object({
  name: Text,
  package_type: Text,
  package_url: decoration(z.string()),
  owner: z.nullish(z.object({ login: Text })),
  package_version: z.nullish(
    z.object({
      version: Text,
      container_metadata: z.nullish(
        z.object({
          tag: z.nullish(z.object({ name: Text })),
          manifest: decoration(
            z.object({
              media_type: decoration(z.string()),
              config: decoration(z.object({ media_type: decoration(z.string()) })),
            }),
          ),
        }),
      ),
    }),
  ),
});
type Package = z.infer<typeof Package>;

/** Bytes. GitHub sends up to 25 MiB; a package event is a few KiB, with the labels of the image in it. */
const MAX_GITHUB_BYTES = 5 * 1024 * 1024;

/** `package` events of GitHub, and `registry_package`, their older name. Sent once; a person can send them again. */
export const github: WebhookAdapter = {
  id: 'github',
  auth: ['hmac'],
  // Signed as sent, also when it is a form.
  signature: { header: 'x-hub-signature-256', algorithm: 'sha256', prefix: 'sha256=' },
  maxBodyBytes: MAX_GITHUB_BYTES,
  answers: TOLD_ONCE,
  digestOnly: 'skip',
  registries: 'one',
  firstHand: true,
  events,
};

function events(delivery: Delivery): readonly DeliveryItem[] {
  const name = delivery.headers['x-github-event'] ?? '';
  if (name === 'ping') return [{ from: 'event', skip: 'handshake' }];
  if (name !== 'package' && name !== 'registry_package') return [{ from: 'event', skip: 'unsupported-event' }];
  const json = readBodyJson({ body: payloadBytes(delivery) });
  if (!json.ok) return [json.skipped];
  const action = memberOf(json.value, 'action');
  if (action === 'deleted') return [removed(name, json.value)];
  if (action !== 'published' && action !== 'updated') return [{ from: name, skip: 'not-a-push' }];
  const inner = memberOf(json.value, name);
  if (inner === undefined) return [missing('body', name)];
  const read = readPayload(name, Package, inner);
  if (!read.ok) return [read.skipped];
  if (!CONTAINER.test(read.value.package_type ?? '')) return [{ from: name, skip: 'artifact-not-image' }];
  const login = memberOf(memberOf(json.value, 'sender'), 'login');
  const actor = typeof login === 'string' ? login : undefined;
  return [pushed(name, read.value, delivery.headers['x-github-delivery'] ?? '', actor)];
}

const CONTAINER = /^(?:container|docker)$/i;

function pushed(from: string, found: Package, id: string, actor: string | undefined): DeliveryItem {
  const { name, owner, package_url: url, package_version: version } = found;
  if (!name) return missing(from, 'name');
  if (!owner?.login) return missing(from, 'owner.login');
  if (!version?.version) return missing(from, 'package_version.version');
  const { tag, manifest } = version.container_metadata ?? {};
  const config = manifest?.config?.media_type;
  const event = {
    id,
    // host/Owner/name:tag, without a scheme.
    hosts: claimed(url?.split('/', 1)[0]),
    // Owners keep the case of their display names; references are in lower case.
    repository: `${owner.login}/${name}`.toLowerCase(),
    digest: version.version,
    ...present({ tag: tag?.name, mediaType: manifest?.media_type, actor }),
    // Blank for an index.
    ...(config && !IMAGE_INDEXES.includes(manifest?.media_type ?? '') ? { references: [{ mediaType: config }] } : {}),
  };
  return { from, event };
}

function removed(from: string, body: unknown): DeliveryItem {
  const read = readPayload(from, Package, memberOf(body, from));
  if (!read.ok || !CONTAINER.test(read.value.package_type ?? '')) return { from, skip: 'delete' };
  const { name, owner, package_url: url, package_version: version } = read.value;
  if (!name || !owner?.login) return { from, skip: 'delete' };
  const login = memberOf(memberOf(body, 'sender'), 'login');
  return deleted(from, {
    hosts: claimed(url?.split('/', 1)[0]),
    repository: `${owner.login}/${name}`.toLowerCase(),
    digest: version?.version,
    tag: version?.container_metadata?.tag?.name,
    actor: typeof login === 'string' ? login : undefined,
  });
}
