import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DeliveryItem, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { distribution } from '#producer/webhooks/adapters/distribution.ts';
import { generic } from '#producer/webhooks/adapters/generic.ts';
import { readJson } from '#producer/webhooks/json.ts';
import { MAX_JSON_DEPTH, MAX_MEMBERS } from '#producer/webhooks/limits.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function items(adapter: WebhookAdapter, body: unknown, headers: Record<string, string> = {}): readonly DeliveryItem[] {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return adapter.events({ method: 'POST', headers, query: {}, body: Buffer.from(text) });
}

/** `from reason` of each skipped item, `from !` of each event. */
function summary(found: readonly DeliveryItem[]): readonly string[] {
  return found.map((item) => `${item.from} ${'skip' in item ? item.skip : '!'}`);
}

function push(target: Record<string, unknown>, rest: Record<string, unknown> = {}): unknown {
  const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json', repository: 'team/app', digest: DIGEST };
  return { id: '1', action: 'push', target: { ...manifest, tag: '1', ...target }, ...rest };
}

describe('JSON of a delivery', () => {
  test('depth is bounded before parsing, and brackets inside strings do not count', () => {
    const nested = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
    assert.equal(readJson(nested(MAX_JSON_DEPTH)).ok, true);
    assert.deepEqual(readJson(nested(MAX_JSON_DEPTH + 1)), {
      ok: false,
      reason: 'too-large',
      message: `the JSON is nested deeper than ${MAX_JSON_DEPTH} levels`,
    });
    assert.equal(readJson(Buffer.from(JSON.stringify(`\\"${'['.repeat(1000)}`))).ok, true);
    // Half a mebibyte of brackets that never close.
    assert.equal(readJson(Buffer.alloc(512 * 1024, '[')).ok, false);
  });

  test('bytes that are no UTF-8, no JSON or nothing are malformed, and the message quotes none of them', () => {
    for (const bytes of [Buffer.from([0x22, 0xff, 0x22]), Buffer.from('{"token":hunter2}'), Buffer.alloc(0)]) {
      const reading = readJson(bytes);
      assert.ok(!reading.ok);
      assert.equal(reading.reason, 'malformed');
      assert.ok(!reading.message.includes('hunter2'));
    }
  });
});

describe('distribution', () => {
  test('a bad member does not cost a good one', () => {
    const events = [
      null,
      'push',
      { action: 'push', target: { repository: 42 } },
      { target: {} },
      { action: 'rename', target: {} },
      { action: 'push' },
      push({ digest: '' }),
      push({ repository: '' }),
      push({ mediaType: '' }),
      push({ mediaType: 'application/octet-stream', digest: '' }),
      push({}),
    ];
    assert.deepEqual(summary(items(distribution, { events })), [
      'events[0] malformed',
      'events[1] malformed',
      'events[2] malformed',
      'events[3] missing-field',
      'events[4] unsupported-event',
      'events[5] missing-field',
      'events[6] missing-field',
      'events[7] missing-field',
      'events[8] missing-field',
      'events[9] blob-event',
      'events[10] !',
    ]);
  });

  test('a body of another shape, and a batch over the limit, are one skipped item', () => {
    assert.deepEqual(summary(items(distribution, 'no json')), ['body malformed']);
    assert.deepEqual(summary(items(distribution, [])), ['body malformed']);
    assert.deepEqual(summary(items(distribution, { events: {} })), ['body malformed']);
    const events = Array.from({ length: MAX_MEMBERS + 1 }, () => 0);
    assert.deepEqual(summary(items(distribution, { events })), ['body too-large']);
  });

  test('what nothing hinges on may have any type', () => {
    const odd = push({ url: 5, references: 'x' }, { id: 7, actor: null, request: 'x', timestamp: {}, __proto__: 1 });
    const [item] = items(distribution, { events: [odd] });
    assert.ok(item && 'event' in item);
    assert.deepEqual(item.event, {
      id: '',
      hosts: [],
      repository: 'team/app',
      digest: DIGEST,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      tag: '1',
    });
  });

  test('both hosts that an event names are claims', () => {
    const event = push({ url: 'https://A.example:5000/v2/x' }, { request: { host: 'b.example' } });
    const [item] = items(distribution, { events: [event] });
    assert.ok(item && 'event' in item);
    assert.deepEqual(item.event.hosts, ['a.example:5000', 'b.example']);
  });
});

describe('generic', () => {
  const image = `registry.example.com/team/app@${DIGEST}`;
  const cloudEvent = {
    specversion: '1.0',
    id: '1',
    source: '/ci',
    type: 'com.example.image.pushed.v1',
    data: { image },
  };
  const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
  const binary = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/ci', 'ce-type': 'x.artifact.published' };

  test('the plain body: one, or a list of which each is judged alone', () => {
    assert.deepEqual(summary(items(generic, { image })), ['body !']);
    assert.deepEqual(summary(items(generic, [{ image }, { image: 'app:1' }, 7])), [
      '[0] !',
      '[1] missing-host',
      '[2] malformed',
    ]);
    assert.deepEqual(summary(items(generic, { image: 7 })), ['body malformed']);
    assert.deepEqual(summary(items(generic, {})), ['body missing-field']);
    assert.deepEqual(summary(items(generic, '7')), ['body malformed']);
    assert.deepEqual(summary(items(generic, { image: 'registry.example.com/team/app' })), ['body missing-field']);
    assert.deepEqual(summary(items(generic, Array(MAX_MEMBERS + 1).fill(0))), ['body too-large']);
  });

  test('CloudEvents need their attributes', () => {
    const without = (name: string) => ({ ...cloudEvent, [name]: undefined });
    for (const name of ['specversion', 'id', 'source', 'type', 'data']) {
      assert.deepEqual(summary(items(generic, without(name), structured)), ['data missing-field'], name);
    }
    for (const change of [{ specversion: '0.3' }, { id: 7 }, { datacontenttype: 'text/xml' }, { data: 'x' }]) {
      assert.deepEqual(summary(items(generic, { ...cloudEvent, ...change }, structured)), ['data malformed']);
    }
    assert.deepEqual(summary(items(generic, [], structured)), ['body malformed']);
  });

  test('data_base64 is decoded, and never beside data', () => {
    const encoded = Buffer.from(JSON.stringify({ image })).toString('base64');
    const event = { ...cloudEvent, data: undefined, data_base64: encoded };
    assert.deepEqual(summary(items(generic, event, structured)), ['data !']);
    assert.deepEqual(summary(items(generic, { ...event, data: {} }, structured)), ['data malformed']);
    assert.deepEqual(summary(items(generic, { ...event, data_base64: '*' }, structured)), ['data malformed']);
  });

  test('a batch is a list, and its members stand alone', () => {
    const batch = { 'content-type': 'application/cloudevents-batch+json' };
    assert.deepEqual(summary(items(generic, [cloudEvent, 7, { ...cloudEvent, id: '' }], batch)), [
      '[0].data !',
      '[1] malformed',
      '[2].data missing-field',
    ]);
    assert.deepEqual(summary(items(generic, cloudEvent, batch)), ['body malformed']);
  });

  test('binary mode: attributes percent-decoded, data by the content type', () => {
    const [item] = items(generic, { image }, { ...binary, 'ce-source': '/ci%20main', 'ce-id': '100%' });
    assert.ok(item && 'event' in item);
    assert.equal(item.event.id, '/ci main 100%');
    const [xml] = items(generic, '<image/>', { ...binary, 'content-type': 'application/xml' });
    assert.deepEqual(xml && 'skip' in xml && [xml.skip, xml.status], ['malformed', 415]);
    assert.deepEqual(summary(items(generic, { image }, { ...binary, 'ce-type': '' })), ['body missing-field']);
  });

  test('another format of CloudEvents is answered by its own status', () => {
    const [item] = items(generic, '', { 'content-type': 'application/cloudevents+avro' });
    assert.deepEqual(item && 'skip' in item && [item.skip, item.status], ['malformed', 415]);
  });
});
