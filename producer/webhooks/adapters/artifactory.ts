import * as z from 'zod/mini';
import type { Delivery, DeliveryItem, SenderSettings, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ALWAYS_TAKEN } from '#producer/webhooks/answers.ts';
import { deleted } from '#producer/webhooks/deleted.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';
import {
  claimed,
  decoration,
  hostOfUrl,
  missing,
  present,
  readBodyJson,
  readPayload,
  Text,
} from '#producer/webhooks/payload.ts';

const Webhook = z.object({
  domain: Text,
  event_type: Text,
  data: z.nullish(
    z.object({
      repo_key: Text,
      path: Text,
      sha256: Text,
      tag: Text,
      image_type: decoration(z.string()),
      platforms: decoration(z.array(z.unknown())),
      event_type: decoration(z.string()),
    }),
  ),
  jpd_origin: decoration(z.string()),
  source: decoration(z.string()),
});
type Webhook = z.infer<typeof Webhook>;

/**
 * JFrog Artifactory's predefined webhook of the domain `docker`. Its one header is the secret itself or an HMAC: which,
 * the configuration says; taking either would let who saw one signature use it as the token.
 */
export const artifactory: WebhookAdapter = {
  id: 'artifactory',
  auth: ['static-header', 'hmac'],
  signature: { header: 'x-jfrog-event-auth', algorithm: 'sha256', prefix: '' },
  maxBodyBytes: MAX_BODY_BYTES,
  answers: ALWAYS_TAKEN,
  digestOnly: 'skip',
  registries: 'one',
  firstHand: true,
  events,
};

function events(delivery: Delivery, settings: SenderSettings = {}): readonly DeliveryItem[] {
  const json = readBodyJson(delivery);
  if (!json.ok) return [json.skipped];
  const read = readPayload('body', Webhook, json.value);
  if (!read.ok) return [read.skipped];
  const { domain, event_type: outer, data } = read.value;
  const from = 'data';
  if (domain !== 'docker') return [{ from, skip: 'unsupported-event' }];
  const type = outer ?? data?.event_type;
  if (type === 'deleted') return [removed(from, read.value, settings)];
  if (!type) return [missing('body', 'event_type')];
  if (type !== 'pushed') return [{ from, skip: 'not-a-push' }];
  return [pushed(from, read.value, settings)];
}

function pushed(from: string, { data, jpd_origin: origin, source }: Webhook, settings: SenderSettings): DeliveryItem {
  const { repo_key: key, path, sha256, tag, image_type: type, platforms } = data ?? {};
  if (!key) return missing(from, 'data.repo_key');
  if (!path) return missing(from, 'data.path');
  if (!sha256) return missing(from, 'data.sha256');
  const repository = repositoryOf(key, path, settings);
  if (repository === undefined) return missing(from, 'data.path');
  const event = {
    id: '',
    hosts: claimed(hostOfUrl(origin)),
    repository,
    digest: `sha256:${sha256}`,
    ...present({ tag, actor: source?.replace(/^jfrog\//, '') }),
    // Charts say `oci`; an index of platforms is an image whatever it says.
    ...(type === 'oci' && !platforms?.length ? { proven: 'artifact-not-image' as const } : {}),
  };
  return { from, event };
}

function repositoryOf(key: string, path: string, { repoKeyMap }: SenderSettings): string | undefined {
  // `image_name` may be only the last part of the name: the path, less tag and file, is the whole of it.
  const image = path.split('/').slice(0, -2).join('/');
  const first = repoKeyMap && Object.hasOwn(repoKeyMap, key) ? repoKeyMap[key] : key;
  if (image === '') return undefined;
  return first ? `${first}/${image}` : image;
}

function removed(from: string, { data, jpd_origin: origin, source }: Webhook, settings: SenderSettings): DeliveryItem {
  const { repo_key: key, path, sha256, tag } = data ?? {};
  if (!key || !path) return { from, skip: 'delete' };
  return deleted(from, {
    hosts: claimed(hostOfUrl(origin)),
    repository: repositoryOf(key, path, settings),
    digest: sha256 ? `sha256:${sha256}` : undefined,
    tag,
    actor: source?.replace(/^jfrog\//, ''),
  });
}
