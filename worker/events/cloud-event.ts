import type { InstanceOptions } from '#events/options.ts';
import { sha256Hex } from '#model/digest.ts';
import type { CloudEvent, EventType } from '#model/event.ts';

/** What every event of one moment has in common. */
export interface EventContext {
  /** URI-reference of the installation, see `eventSource`. */
  readonly source: string;
  readonly now: Date;
  /** W3C Trace Context of the job that found it out. */
  readonly traceparent?: string;
}

/** The `source` of all events of an installation: its address, or a name where it has none. */
export function eventSource({ id, url }: InstanceOptions): string {
  return url ?? `urn:attestry:${id}`;
}

/**
 * The id of an event is a function of what it tells, so that telling it again after a crash is the same event, and
 * receivers can drop it (CloudEvents 1.0, `id`: source and id are unique for each distinct event).
 */
export function eventId(type: EventType, ...identity: readonly string[]): string {
  return sha256Hex([type, ...identity].join('\n'));
}

export function cloudEvent<Data>(
  type: EventType,
  about: { readonly subject: string; readonly identity: readonly string[]; readonly time?: string },
  data: Data,
  { source, now, traceparent }: EventContext,
): CloudEvent<Data> {
  return {
    specversion: '1.0',
    id: eventId(type, ...about.identity),
    source,
    type,
    subject: about.subject,
    time: about.time ?? now.toISOString(),
    datacontenttype: 'application/json',
    ...(traceparent === undefined ? {} : { traceparent }),
    data,
  };
}
