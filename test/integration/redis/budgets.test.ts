import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createBudgets } from '#redis/budgets.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import { createHostPause } from '#redis/host-pause.ts';
import { createKeys } from '#redis/keys.ts';
import { createRegistryGate } from '#redis/registry-gate.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
/** Two workers. */
let one: RedisConnection;
let other: RedisConnection;

before(async () => {
  redis = await startRedis();
  [one, other] = await Promise.all([connect(), connect()]);
});
after(async () => {
  await Promise.all([one.close(), other.close()]);
  await redis.stop();
});

const connect = () => connectRedis({ url: redis.url, role: 'store', name: 'test' });
const REGISTRY = 'registry.example';
const LIMITS = { failures: 3, restMs: 60_000, longestRestMs: 100_000 };

/** Lets a rest be over, as if its time had passed. */
async function endRest(prefix: string): Promise<void> {
  await one.client.hset(createKeys(prefix).budget(REGISTRY).breaker, 'until', '1');
}

test('a breaker opens after failures in a row, whichever worker met them, and one call tries again', async () => {
  const prefix = 'breaker';
  const [mine, theirs] = [one, other].map(({ client }) => createRegistryGate(client, { prefix, ...LIMITS }));
  assert.ok(mine && theirs);
  assert.equal(await mine.failed(REGISTRY), undefined);
  assert.equal(await theirs.failed(REGISTRY), undefined);
  assert.deepEqual(await mine.admit(REGISTRY), { failures: 2 });
  const opened = await theirs.failed(REGISTRY);
  assert.equal(opened?.restMs, LIMITS.restMs);
  assert.equal(await mine.failed(REGISTRY), undefined, 'told once');
  const { refusal } = await mine.admit(REGISTRY);
  assert.equal(refusal?.why, 'resting');
  assert.ok(refusal.waitMs > 0 && refusal.waitMs <= LIMITS.restMs);
  assert.equal(await theirs.state(REGISTRY), 'open');

  await endRest(prefix);
  assert.equal(await mine.state(REGISTRY), 'half-open');
  assert.equal((await mine.look(REGISTRY)).refusal, undefined, 'a look tries nothing');
  assert.equal((await theirs.admit(REGISTRY)).refusal, undefined);
  assert.equal((await mine.admit(REGISTRY)).refusal?.why, 'resting', 'one call alone');
  assert.equal(await theirs.failed(REGISTRY), undefined, 'it was open before');
  const again = (await mine.admit(REGISTRY)).refusal;
  assert.ok(again && again.waitMs > LIMITS.restMs, 'a longer rest');

  await endRest(prefix);
  assert.equal((await mine.admit(REGISTRY)).refusal, undefined);
  assert.deepEqual(await mine.answered(REGISTRY), opened?.since);
  assert.equal(await theirs.answered(REGISTRY), undefined, 'told once');
  assert.deepEqual(await theirs.admit(REGISTRY), { failures: 0 });
  assert.equal(await mine.state(REGISTRY), 'closed');
});

test('answers between failures keep a breaker closed', async () => {
  const gate = createRegistryGate(one.client, { prefix: 'between', ...LIMITS });
  for (let round = 0; round < 10; round++) {
    assert.equal(await gate.failed(REGISTRY), undefined);
    assert.equal(await gate.failed(REGISTRY), undefined);
    assert.equal(await gate.answered(REGISTRY), undefined);
  }
  assert.equal(await gate.state(REGISTRY), 'closed');
});

test('a pause that one worker heard of holds for the others, and of the registry alone', async () => {
  const prefix = 'pause';
  await createHostPause(one.client, { prefix }).pauseUntil(REGISTRY, new Date(Date.now() + 60_000));
  const gate = createRegistryGate(other.client, { prefix, ...LIMITS });
  const { refusal } = await gate.look(REGISTRY);
  assert.equal(refusal?.why, 'paused');
  assert.ok(refusal.waitMs > 50_000);
  assert.equal((await gate.look('other.example')).refusal, undefined);
  assert.equal(await gate.state(REGISTRY), 'closed', 'it works, and asks for time');
});

test('slots are shared by workers, with a share of their own for each lane', async () => {
  const [mine, theirs] = [one, other].map(({ client }) => createBudgets(client, { prefix: 'slots' }));
  assert.ok(mine && theirs);
  const of = { registry: REGISTRY };
  const backfill = { of, lane: 'backfill', most: 3, mostOfLane: 1 } as const;
  const push = { of, lane: 'push', most: 3, mostOfLane: 3 } as const;
  const first = await mine.slot({ ...backfill, token: 'a' });
  assert.ok(first);
  assert.equal(await theirs.slot({ ...backfill, token: 'b' }), undefined, 'its share is taken');
  assert.ok(await theirs.slot({ ...push, token: 'c' }));
  const third = await mine.slot({ ...push, token: 'd' });
  assert.ok(third);
  assert.equal(await theirs.slot({ ...push, token: 'e' }), undefined, 'all are taken');
  await first[Symbol.asyncDispose]();
  assert.ok(await theirs.slot({ ...push, token: 'e' }));
  assert.ok(await mine.slot({ ...push, of: { source: REGISTRY }, token: 'f' }), 'another budget');
});

test('the place of a worker that died runs out', async () => {
  const budgets = createBudgets(one.client, { prefix: 'died' });
  const request = { of: { source: 'ci' }, lane: 'push', most: 1, mostOfLane: 1 } as const;
  const keys = createKeys('died').sourceBudget('ci');
  for (const lane of ['all', 'push'] as const) await one.client.zadd(keys.slots(lane), 1, 'dead');
  const slot = await budgets.slot({ ...request, token: 'alive' });
  assert.ok(slot);
  await slot[Symbol.asyncDispose]();
});

test('requests are spaced over all workers, after a second of them at once', async () => {
  const [mine, theirs] = [one, other].map(({ client }) => createBudgets(client, { prefix: 'turns' }));
  assert.ok(mine && theirs);
  const waits: number[] = [];
  for (let call = 0; call < 20; call++) {
    waits.push(await (call % 2 === 0 ? mine : theirs).turn({ registry: REGISTRY }, 'all', 10));
  }
  assert.deepEqual(waits.slice(0, 10), new Array(10).fill(0));
  const later = waits.slice(10);
  assert.ok(
    later.every((wait, at) => at === 0 || wait >= (later[at - 1] ?? 0)),
    later.join(' '),
  );
  assert.ok((later.at(-1) ?? 0) > 500, 'ten more of ten a second are a second away, less what the calls took');
});
