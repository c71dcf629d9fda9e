import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KeptDelivery } from '#model/kept-delivery.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import { createKeptDeliveries } from '#redis/kept-deliveries.ts';
import { createKeys } from '#redis/keys.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
let connection: RedisConnection;

before(async () => {
  redis = await startRedis();
  connection = await connectRedis({ url: redis.url, role: 'store', name: 'test' });
});
after(async () => {
  await connection.close();
  await redis.stop();
});

const BOUNDS = { most: 3, bytes: 100_000, ageMs: 3_600_000 };
const START = Date.parse('2026-03-02T10:00:00Z');

function delivery(minute: number, more: Partial<KeptDelivery> = {}): KeptDelivery {
  return {
    id: `${minute.toString().padStart(3, '0')}-id`,
    at: new Date(START + minute * 60_000).toISOString(),
    source: 'hub',
    sender: 'distribution',
    result: 'rejected',
    status: 200,
    enqueued: 0,
    skipped: 1,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    query: {},
    body: { encoding: 'utf8', text: '{}' },
    bytes: 2,
    whole: true,
    ...more,
  };
}

const ids = (found: readonly KeptDelivery[]) => found.map(({ id }) => id.slice(0, 3));

test('the newest of a source are kept, by count', async () => {
  const store = createKeptDeliveries(connection.client, { prefix: 'count' });
  for (let minute = 1; minute <= 5; minute++) await store.keep(delivery(minute), BOUNDS);
  assert.deepEqual(ids(await store.list({ limit: 10 })), ['005', '004', '003']);
  assert.equal(await store.get('001-id'), undefined);
  assert.deepEqual(await store.get('005-id'), delivery(5));
  // Nothing is left of those that went.
  const keys = await connection.client.keys('count:*');
  assert.equal(keys.length, 3 + 2);
});

test('by bytes, but always the last one', async () => {
  const store = createKeptDeliveries(connection.client, { prefix: 'bytes' });
  const text = 'x'.repeat(40_000);
  for (let minute = 1; minute <= 3; minute++)
    await store.keep(delivery(minute, { body: { encoding: 'utf8', text } }), BOUNDS);
  assert.deepEqual(ids(await store.list({ limit: 10 })), ['003', '002']);
  const huge = 'x'.repeat(200_000);
  await store.keep(delivery(4, { body: { encoding: 'utf8', text: huge } }), BOUNDS);
  assert.deepEqual(ids(await store.list({ limit: 10 })), ['004']);
});

test('by age', async () => {
  const store = createKeptDeliveries(connection.client, { prefix: 'age' });
  await store.keep(delivery(1), BOUNDS);
  await store.keep(delivery(62), BOUNDS);
  assert.deepEqual(ids(await store.list({ limit: 10 })), ['062']);
  const ttl = await connection.client.pttl(createKeys('age').kept.entry('062-id'));
  assert.ok(ttl > 0 && ttl <= BOUNDS.ageMs);
});

test('strangers push nothing out that a known sender sent', async () => {
  const store = createKeptDeliveries(connection.client, { prefix: 'whose' });
  await store.keep(delivery(1), BOUNDS);
  for (let minute = 2; minute <= 9; minute++)
    await store.keep(delivery(minute, { result: 'unauthenticated', status: 401 }), BOUNDS);
  assert.deepEqual(ids(await store.list({ source: 'hub', limit: 10 })), ['009', '008', '007', '001']);
});

test('they are found by source and time', async () => {
  const store = createKeptDeliveries(connection.client, { prefix: 'find' });
  const at = (minute: number) => new Date(START + minute * 60_000);
  await store.keep(delivery(1), BOUNDS);
  await store.keep(delivery(2, { source: 'other' }), BOUNDS);
  await store.keep(delivery(3), BOUNDS);
  assert.deepEqual(ids(await store.list({ limit: 10 })), ['003', '002', '001']);
  assert.deepEqual(ids(await store.list({ limit: 1 })), ['003']);
  assert.deepEqual(ids(await store.list({ source: 'hub', limit: 10 })), ['003', '001']);
  assert.deepEqual(ids(await store.list({ since: at(2), limit: 10 })), ['003', '002']);
  assert.deepEqual(ids(await store.list({ since: at(2), until: at(2), limit: 10 })), ['002']);
  assert.deepEqual(await store.list({ source: 'nobody', limit: 10 }), []);
});

test('what cannot be read is nobody’s delivery', async () => {
  const store = createKeptDeliveries(connection.client, { prefix: 'foreign' });
  await connection.client.set(createKeys('foreign').kept.entry('a'), '{"id":1}');
  await connection.client.set(createKeys('foreign').kept.entry('b'), 'no json');
  assert.equal(await store.get('a'), undefined);
  assert.equal(await store.get('b'), undefined);
});
