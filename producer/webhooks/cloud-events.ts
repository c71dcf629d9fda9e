import type { SkippedItem } from '#producer/webhooks/adapter.ts';
import { isObject, readJson } from '#producer/webhooks/json.ts';

/** A CloudEvent whose required attributes are there; `data` is JSON, decoded. */
export interface ReceivedCloudEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time?: string;
  readonly data: unknown;
}

interface Refusal {
  readonly ok: false;
  readonly skipped: SkippedItem;
}

export type CloudEventReading = { readonly ok: true; readonly event: ReceivedCloudEvent } | Refusal;

type AttributesReading = { readonly ok: true; readonly event: Omit<ReceivedCloudEvent, 'data'> } | Refusal;

type DataReading = { readonly ok: true; readonly data: unknown } | Refusal;

/** Content modes of the CloudEvents HTTP binding 1.0 (section 3). */
export type ContentMode = 'structured' | 'batch' | 'binary' | 'unknown-format' | 'none';

export function contentMode(headers: Readonly<Record<string, string>>): ContentMode {
  const type = mediaType(headers['content-type']);
  if (type === 'application/cloudevents+json') return 'structured';
  if (type === 'application/cloudevents-batch+json') return 'batch';
  if (type.startsWith('application/cloudevents')) return 'unknown-format';
  return headers['ce-specversion'] === undefined ? 'none' : 'binary';
}

/** An event in the JSON format (CloudEvents JSON format 1.0, sections 2 and 3). */
export function readStructured(from: string, value: unknown): CloudEventReading {
  if (!isObject(value)) return refuse(from, 'malformed', 'not a CloudEvent in JSON: an object is wanted');
  const attributes = readAttributes(from, value);
  if (!attributes.ok) return attributes;
  const data = readData(from, value);
  return data.ok ? { ok: true, event: { ...attributes.event, data: data.data } } : data;
}

/** An event whose attributes are `ce-` headers and whose data is the body (HTTP binding, section 3.1). */
export function readBinary(
  from: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): CloudEventReading {
  const names = ['specversion', 'id', 'source', 'type', 'time'];
  const values = names.map((name) => [name, percentDecoded(headers[`ce-${name}`])]);
  const attributes = readAttributes(from, Object.fromEntries(values.filter(([, value]) => value !== undefined)));
  if (!attributes.ok) return attributes;
  if (!isJsonType(headers['content-type'])) {
    return refuse(from, 'malformed', 'the data must be JSON; send Content-Type: application/json', 415);
  }
  const json = readJson(body);
  if (!json.ok) return refuse(from, json.reason, json.message);
  return { ok: true, event: { ...attributes.event, data: json.value } };
}

function readAttributes(from: string, value: Readonly<Record<string, unknown>>): AttributesReading {
  const { specversion, id, source, type, time } = value;
  for (const [name, attribute] of Object.entries({ specversion, id, source, type })) {
    if (attribute === undefined || attribute === '') return refuse(from, 'missing-field', `no attribute \`${name}\``);
    if (typeof attribute !== 'string') return refuse(from, 'malformed', `attribute \`${name}\` is not a string`);
  }
  if (specversion !== '1.0') return refuse(from, 'malformed', '`specversion` must be 1.0');
  const event = { id: String(id), source: String(source), type: String(type) };
  return { ok: true, event: typeof time === 'string' ? { ...event, time } : event };
}

function readData(from: string, value: Readonly<Record<string, unknown>>): DataReading {
  const { data, data_base64: encoded, datacontenttype: contentType } = value;
  if (contentType !== undefined && !(typeof contentType === 'string' && isJsonType(contentType))) {
    return refuse(from, 'malformed', '`datacontenttype` must be a JSON type');
  }
  if (encoded === undefined) return { ok: true, data };
  if (data !== undefined) return refuse(from, 'malformed', 'both `data` and `data_base64`; send one');
  if (typeof encoded !== 'string' || !BASE64.test(encoded)) {
    return refuse(from, 'malformed', '`data_base64` is not base64');
  }
  const json = readJson(Buffer.from(encoded, 'base64'));
  return json.ok ? { ok: true, data: json.value } : refuse(from, json.reason, `in \`data_base64\`, ${json.message}`);
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** A media type is JSON when it says so (RFC 6839, `+json`), or when nothing is said. */
function isJsonType(header: string | undefined): boolean {
  const type = mediaType(header);
  return type === '' || type === 'application/json' || type === 'text/json' || type.endsWith('+json');
}

function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

// Header values are percent-encoded UTF-8 (HTTP binding, section 3.1.3.2); a stray percent sign is left as it is.
function percentDecoded(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function refuse(from: string, skip: SkippedItem['skip'], message: string, status?: number): Refusal {
  return { ok: false, skipped: { from, skip, message, ...(status === undefined ? {} : { status }) } };
}
