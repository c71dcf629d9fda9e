import { splitReference } from '#model/image-ref.ts';
import type { Delivery, DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { type CloudEventReading, contentMode, readBinary, readStructured } from '#producer/webhooks/cloud-events.ts';
import { isObject, readJson } from '#producer/webhooks/json.ts';
import { MAX_BODY_BYTES, MAX_MEMBERS } from '#producer/webhooks/limits.ts';

/** Event types that tell of a push, whatever their prefix and version: `com.example.image.pushed.v1`. */
const PUSHED = /(?:^|\.)(?:image|artifact)\.(?:pushed|published)(?:\.|$)/;

/**
 * Our own API for CI: `{ "image": "host[:port]/repo[:tag][@digest]" }`, a list of those, or CloudEvents 1.0 in its
 * three modes. A person or a pipeline reads the answer, so a mistake is a 4xx with its reason.
 */
export const generic: WebhookAdapter = {
  id: 'generic',
  auth: ['none', 'bearer', 'basic', 'static-header'],
  maxBodyBytes: MAX_BODY_BYTES,
  answers: { accepted: 202, skipped: 200, unauthenticated: 401, malformed: 400, rejected: 422 },
  // Who asks by digest wants just that digest.
  digestOnly: 'enqueue',
  registries: 'many',
  firstHand: false,
  events,
};

function events(delivery: Delivery): readonly DeliveryItem[] {
  const mode = contentMode(delivery.headers);
  switch (mode) {
    case 'unknown-format': {
      const message = 'only the JSON format of CloudEvents is read: application/cloudevents+json or -batch+json';
      return [{ from: 'body', skip: 'malformed', message, status: 415 }];
    }
    case 'binary':
      return [cloudEvent('body', readBinary('body', delivery.headers, delivery.body))];
    case 'structured':
    case 'batch':
    case 'none':
      return json(mode, delivery);
  }
}

function json(mode: 'structured' | 'batch' | 'none', delivery: Delivery): readonly DeliveryItem[] {
  const read = readJson(delivery.body);
  if (!read.ok) return [{ from: 'body', skip: read.reason, message: read.message }];
  const { value } = read;
  if (mode === 'structured') {
    const from = isObject(value) ? 'data' : 'body';
    return [cloudEvent(from, readStructured(from, value))];
  }
  const id = delivery.headers['idempotency-key'] ?? '';
  if (!Array.isArray(value)) {
    if (mode === 'none') return [request('body', value, id)];
    return [{ from: 'body', skip: 'malformed', message: 'a batch is a JSON list of CloudEvents' }];
  }
  if (value.length > MAX_MEMBERS) {
    return [{ from: 'body', skip: 'too-large', message: `more than ${MAX_MEMBERS} members in one request` }];
  }
  return value.map((member, index) => {
    if (mode === 'none') return request(`[${index}]`, member, id);
    const from = isObject(member) ? `[${index}].data` : `[${index}]`;
    return cloudEvent(from, readStructured(from, member));
  });
}

function cloudEvent(from: string, reading: CloudEventReading): DeliveryItem {
  if (!reading.ok) return reading.skipped;
  const { id, source, type, time, data } = reading.event;
  if (!PUSHED.test(type)) {
    const message = '`type` tells of no push; it must contain image.pushed, image.published or artifact.published';
    return { from, skip: 'unsupported-event', message };
  }
  // Producers must make source and id together unique (CloudEvents 1.0, `id`).
  return request(from, data, `${source} ${id}`, time);
}

function request(from: string, value: unknown, id: string, timestamp?: string): DeliveryItem {
  if (value === undefined) return { from, skip: 'missing-field', message: 'no `data`' };
  if (!isObject(value)) return { from, skip: 'malformed', message: `an object with \`image\` is wanted` };
  const { image } = value;
  if (image === undefined || image === '') return { from, skip: 'missing-field', message: 'no `image`' };
  if (typeof image !== 'string') return { from, skip: 'malformed', message: '`image` is not a string' };
  const { registry, path, tag, digest } = splitReference(image);
  if (registry === undefined) {
    const message = '`image` names no registry; write host/repository:tag or host/repository@sha256:…';
    return { from, skip: 'missing-host', message };
  }
  if (tag === undefined && digest === undefined) {
    const message = '`image` has neither tag nor digest; add the digest of what was pushed, or its tag';
    return { from, skip: 'missing-field', message };
  }
  const event = {
    id,
    hosts: [registry],
    repository: path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
  return { from, event };
}
