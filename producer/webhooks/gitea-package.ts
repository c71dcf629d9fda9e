import * as z from 'zod/mini';
import { isDigest } from '#model/digest.ts';
import type { Delivery, DeliveryItem, SignatureRule } from '#producer/webhooks/adapter.ts';
import { deleted } from '#producer/webhooks/deleted.ts';
import { isForm, payloadBytes } from '#producer/webhooks/form-payload.ts';
import { decoration, missing, present, readBodyJson, readPayload, Text } from '#producer/webhooks/payload.ts';

const PackageEvent = z.object({
  action: Text,
  package: z.nullish(
    z.object({
      type: Text,
      name: Text,
      version: Text,
      owner: z.nullish(z.object({ login: Text })),
    }),
  ),
  sender: decoration(z.object({ login: decoration(z.string()) })),
});

/** The signature headers are sent without a secret too, empty; and over the payload even when it travels in a form. */
export const GITEA_SIGNATURE: SignatureRule = {
  header: 'x-hub-signature-256',
  algorithm: 'sha256',
  prefix: 'sha256=',
  signed: (delivery) => [isForm(delivery) ? payloadBytes(delivery) : delivery.body],
};

/** A `package` event of Gitea or of Forgejo, which is a fork of it. */
export function packageEvents(delivery: Delivery, names: readonly string[]): readonly DeliveryItem[] {
  const header = (suffix: string) => names.map((name) => delivery.headers[`x-${name}-${suffix}`]).find(Boolean) ?? '';
  if (header('event') !== 'package') return [{ from: 'event', skip: 'unsupported-event' }];
  const json = readBodyJson({ body: payloadBytes(delivery) });
  if (!json.ok) return [json.skipped];
  const read = readPayload('body', PackageEvent, json.value);
  if (!read.ok) return [read.skipped];
  const { action, package: found, sender } = read.value;
  const from = 'package';
  if (action === 'deleted') {
    const { type, name, version, owner } = found ?? {};
    if (type !== 'container' || !owner?.login || !name) return [{ from, skip: 'delete' }];
    const named = isDigest(version) ? { digest: version } : { tag: version };
    const repository = `${owner.login.toLowerCase()}/${name}`;
    return [deleted(from, { hosts: [], repository, ...named, actor: sender?.login })];
  }
  if (action !== 'created') return [{ from, skip: 'not-a-push' }];
  if (!found) return [missing('body', 'package')];
  if (found.type !== 'container') return [{ from, skip: 'artifact-not-image' }];
  const { name, version, owner } = found;
  if (!owner?.login) return [missing(from, 'package.owner.login')];
  if (!name) return [missing(from, 'package.name')];
  if (!version) return [missing(from, 'package.version')];
  const event = {
    id: header('delivery'),
    // Only the address of a web page, which need not be the registry's.
    hosts: [],
    // Owners keep the case of their display names; references are in lower case.
    repository: `${owner.login.toLowerCase()}/${name}`,
    // An untagged manifest has its digest for a version; a tagged one tells no digest.
    ...(isDigest(version) ? { digest: version } : { tag: version }),
    ...present({ actor: sender?.login }),
  };
  return [{ from, event }];
}
