import * as z from 'zod/mini';
import type { DeliveryItem } from '#producer/webhooks/adapter.ts';
import { deleted } from '#producer/webhooks/deleted.ts';
import { claimed, decoration, missing, present, readPayload, Text } from '#producer/webhooks/payload.ts';

const RegistryAction = z.object({
  id: decoration(z.string()),
  timestamp: decoration(z.string()),
  action: Text,
  target: z.nullish(z.object({ mediaType: Text, digest: Text, repository: Text, tag: Text })),
  request: decoration(z.object({ host: decoration(z.string()) })),
  actor: decoration(z.object({ name: decoration(z.string()) })),
});

/** Where an event stands in the body, and what its envelope says. */
export interface AcrPlace {
  /** Path of the event, with a dot behind it; empty for the body itself. */
  readonly inside: string;
  /** Path of what is no action on a target. */
  readonly event: string;
  /** The id of the envelope, which is what a redelivery has again. */
  readonly id?: string;
}

/** The object that Azure's webhook sends and that Event Grid carries as `data`. */
export function acrEvent({ inside, event: whole, id: envelopeId }: AcrPlace, value: unknown): DeliveryItem {
  const from = `${inside}target`;
  const read = readPayload(whole === 'event' ? 'body' : whole, RegistryAction, value);
  if (!read.ok) return read.skipped;
  const { id, timestamp, action, target, request, actor } = read.value;
  if (!action) return missing(whole, `${inside}action`);
  if (action === 'ping') return { from: whole, skip: 'handshake' };
  if (action === 'chart_delete') return { from, skip: 'delete' };
  if (action === 'delete') {
    return deleted(from, { ...target, hosts: claimed(request?.host), actor: actor?.name });
  }
  if (action === 'chart_push') return { from, skip: 'artifact-not-image' };
  if (action === 'quarantine') return { from, skip: 'not-a-push' };
  if (action !== 'push') return { from: whole, skip: 'unsupported-event' };
  if (!target?.repository) return missing(from, `${inside}target.repository`);
  if (!target.digest) return missing(from, `${inside}target.digest`);
  const event = {
    id: envelopeId ?? id ?? '',
    // The Host header of the pushing client.
    hosts: claimed(request?.host),
    repository: target.repository,
    digest: target.digest,
    ...present({ tag: target.tag, mediaType: target.mediaType, timestamp, actor: actor?.name }),
    ...(target.mediaType?.startsWith('application/vnd.cncf.helm.') ? { proven: 'artifact-not-image' as const } : {}),
  };
  return { from, event };
}
