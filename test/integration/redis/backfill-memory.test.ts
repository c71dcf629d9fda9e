import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Backfill, BackfillChunk } from '#model/backfill.ts';
import { createBackfillMemory, createBackfillSamples } from '#redis/backfill-memory.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
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

const PLAN: Backfill = {
  id: 'one',
  state: 'planned',
  registries: ['registry.test'],
  images: 0,
  plannedAt: '2026-01-01T00:00:00.000Z',
  concurrency: 4,
};
const NONE = { position: 0, enqueued: 0, covered: 0, gone: 0 };

async function* chunks(count: number, tags = 500): AsyncGenerator<BackfillChunk> {
  for (let at = 0; at < count; at++) {
    const named = Array.from({ length: tags }, (_, tag) => [`1.${at * tags + tag}`] as [string]);
    yield { registry: 'registry.test', repository: `team/app-${at}`, tags: named };
  }
}

test('a plan of fifty thousand images is small, and read a chunk at a time', async () => {
  const memory = createBackfillMemory(connection.client, { prefix: 'large' });
  assert.equal(await memory.plan(PLAN, chunks(100)), true);
  assert.equal((await memory.current())?.images, 50_000);
  const bytes = Number(
    await connection.client.memory('USAGE', createKeys('large').backfill.chunks('one'), 'SAMPLES', 0),
  );
  assert.ok(bytes < 1024 * 1024, `${bytes} bytes`);
  assert.equal((await memory.chunk('one', 99))?.tags.at(-1)?.[0], '1.49999');
  assert.equal(await memory.chunk('one', 100), undefined);
});

test('a step is noted once, whoever did it, and not of a plan that was replaced', async () => {
  const memory = createBackfillMemory(connection.client, { prefix: 'steps' });
  await memory.plan(PLAN, chunks(1));
  const step = { ...NONE, position: 20, enqueued: 15, covered: 5 };
  assert.equal(await memory.advance('one', 0, step), true);
  assert.equal(await memory.advance('one', 0, step), false);
  assert.equal((await memory.current())?.progress.position, 20);
  assert.equal(await memory.plan({ ...PLAN, id: 'two' }, chunks(1)), true);
  assert.equal(await memory.advance('one', 20, step), false);
  await memory.count('one', { done: 1 });
  assert.deepEqual((await memory.current())?.progress, { ...NONE, done: 0, failed: 0 });
});

test('one that runs or is paused is not replaced; states change only as they may', async () => {
  const memory = createBackfillMemory(connection.client, { prefix: 'states' });
  assert.equal(await memory.change('one', ['planned'], { state: 'running' }), false, 'there is none');
  await memory.plan(PLAN, chunks(1));
  assert.equal(await memory.change('one', ['planned'], { state: 'running' }), true);
  assert.equal(await memory.plan({ ...PLAN, id: 'two' }, chunks(1)), false);
  assert.equal(await memory.chunk('two', 0), undefined, 'nothing is left of it');
  assert.equal(await memory.change('one', ['paused'], { state: 'running' }), false);
  assert.equal(await memory.change('one', ['running'], { state: 'canceled' }), true);
  assert.equal(await memory.plan({ ...PLAN, id: 'two' }, chunks(1)), true);
});

test('one worker enqueues at a time', async () => {
  const memory = createBackfillMemory(connection.client, { prefix: 'hold' });
  assert.deepEqual(
    [await memory.hold('a', 60_000), await memory.hold('b', 60_000), await memory.hold('a', 60_000)],
    [true, false, true],
  );
});

test('samples are the newest, and bounded', async () => {
  const samples = createBackfillSamples(connection.client, { prefix: 'samples' });
  for (let at = 0; at < 210; at++) await samples.add({ registry: 'a', requests: at, sentBytes: 1, ms: 1 });
  const kept = await samples.list();
  assert.deepEqual([kept.length, kept[0]?.requests], [200, 209]);
});
