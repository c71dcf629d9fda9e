import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { createRedisLedger } from '#ledger/redis-ledger.ts';
import { transitionId } from '#ledger/transition-id.ts';
import type { OutboxEntry } from '#model/ledger.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import { createKeys } from '#redis/keys.ts';
import { testLedger } from '../../contracts/ledger.ts';
import { testLedgerIndexes } from '../../contracts/ledger-indexes.ts';
import { testLedgerRemovals } from '../../contracts/ledger-removals.ts';
import { at, IMAGE, OTHER, observation, verdict } from '../../support/observations.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
let connection: RedisConnection;
let count = 0;

before(async () => {
  redis = await startRedis();
  connection = await connectRedis({ url: redis.url, role: 'store', name: 'test' });
});
after(async () => {
  await connection.close();
  await redis.stop();
});

function freshPrefix(): string {
  count += 1;
  return `ledger-${count}`;
}

const open = async () => createRedisLedger(connection.client, { prefix: freshPrefix() });

testLedger('the Redis ledger', open);
testLedgerIndexes('the Redis ledger', open);
testLedgerRemovals('the Redis ledger', open);

describe('the Redis ledger across a crash', () => {
  /** Makes an index note look a quarter of an hour old: its writer is dead. */
  async function age(key: string, member: string): Promise<void> {
    await connection.client.zincrby(key, -900_000_000, member);
  }

  test('a relay that dies between delivery and removal delivers again under the same id', async () => {
    const prefix = freshPrefix();
    const ledger = createRedisLedger(connection.client, { prefix });
    const made = await ledger.record(observation('fail', 0));
    assert.ok(made);
    const script = `
      import { connectRedis } from '#redis/connection.ts';
      import { createRedisLedger } from '#ledger/redis-ledger.ts';
      import { transitionId } from '#ledger/transition-id.ts';
      const connection = await connectRedis({ url: process.argv[1], role: 'store', name: 'child' });
      const ledger = createRedisLedger(connection.client, { prefix: process.argv[2] });
      await ledger.relay(async (entry) => {
        process.stdout.write(transitionId(entry.transition), () => process.kill(process.pid, 'SIGKILL'));
        await new Promise(() => setTimeout(() => {}, 60_000));
      }, 10);
    `;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script, redis.url, prefix], {
      encoding: 'utf8',
    });
    assert.equal(child.signal, 'SIGKILL', child.stderr);
    const again: OutboxEntry[] = [];
    await ledger.relay(async (entry) => void again.push(entry), 10);
    const [entry] = again;
    assert.ok(entry?.kind === 'transition' && again.length === 1);
    assert.equal(transitionId(entry.transition), child.stdout);
    assert.equal(transitionId(entry.transition), transitionId(made));
  });

  test('state written and the writer dead before it could say so: the relay finds the entry', async () => {
    const prefix = freshPrefix();
    const keys = createKeys(prefix);
    const ledger = createRedisLedger(connection.client, { prefix });
    await ledger.record(observation('pass', 0));
    await connection.client.del(keys.index.ready);
    const told: OutboxEntry[] = [];
    const tell = async (entry: OutboxEntry) => void told.push(entry);
    // Its writer may still be at work, so nobody looks there yet.
    assert.equal(await ledger.relay(tell, 10), 0);
    await age(keys.index.pending, IMAGE);
    assert.equal(await ledger.relay(tell, 10), 1);
    assert.equal(told.length, 1);
    assert.equal(await connection.client.zscore(keys.index.pending, IMAGE), null);
  });

  test('dead after the announcement and before the state: due at once, and nothing is told', async () => {
    const prefix = freshPrefix();
    const keys = createKeys(prefix);
    const ledger = createRedisLedger(connection.client, { prefix });
    await ledger.record(observation('pass', 0));
    const image = keys.image(IMAGE);
    // What the crash left: the indexes without the image, its due time that of the observation.
    await connection.client.del(image.head, image.states, image.outbox, image.outboxEntries, image.history);
    await connection.client.del(keys.index.ready, keys.index.worst, keys.index.coverage);
    await connection.client.hset(image.sequences, 'file:policy', '0');
    await connection.client.zadd(keys.index.due, at(0).getTime(), `${IMAGE}\nfile:policy`);
    assert.equal((await ledger.due(at(0), 10)).length, 1);
    await age(keys.index.pending, IMAGE);
    assert.equal(await ledger.relay(async () => assert.fail('nothing to tell'), 10), 0);
    assert.equal(await connection.client.zcard(keys.index.pending), 0);
    const made = await ledger.record(observation('pass', 1));
    assert.equal(made?.change, 'first');
    assert.deepEqual(await ledger.coverage(), { images: 1, byOutcome: { pass: 1 } });
  });

  test('an image that was announced and never recorded can be forgotten', async () => {
    const prefix = freshPrefix();
    const keys = createKeys(prefix);
    const ledger = createRedisLedger(connection.client, { prefix });
    await ledger.record(observation('pass', 0));
    await connection.client.del(keys.image(IMAGE).states);
    await ledger.forget(IMAGE, at(1));
    assert.equal(await connection.client.exists(keys.index.due, keys.index.images), 0);
  });

  test('two workers that record at once: one transition, one sequence', async () => {
    const prefix = freshPrefix();
    const first = createRedisLedger(connection.client, { prefix });
    await using other = await connectRedis({ url: redis.url, role: 'store', name: 'other' });
    const second = createRedisLedger(other.client, { prefix });
    const made = await Promise.all([
      first.record(observation('fail', 0)),
      second.record(observation('fail', 0)),
      first.record(observation('fail', 0, { verdict: verdict('fail', 'file:second') })),
      second.record(observation('pass', 0, { image: OTHER })),
    ]);
    assert.equal(made.filter((transition) => transition?.image === IMAGE).length, 2);
    assert.equal((await first.history(IMAGE, 10)).length, 2);
    assert.deepEqual(await second.coverage(), { images: 2, byOutcome: { fail: 1, pass: 1 } });
  });

  test('indexes that were lost are made again from what is known', async () => {
    const prefix = freshPrefix();
    const keys = createKeys(prefix);
    const ledger = createRedisLedger(connection.client, { prefix });
    await ledger.record(observation('pass', 0));
    await connection.client.del(keys.index.due);
    assert.deepEqual(await ledger.due(at(1000), 10), []);
    assert.equal(await ledger.makeDue({}, at(5)), 1);
    assert.equal((await ledger.due(at(5), 10)).length, 1);
  });

  test('a record that does not read as ours counts as none', async () => {
    const prefix = freshPrefix();
    const keys = createKeys(prefix);
    const ledger = createRedisLedger(connection.client, { prefix });
    await ledger.record(observation('pass', 0));
    await connection.client.hset(keys.image(IMAGE).states, 'file:policy', '{"verdict":{"outcome":"great"}}');
    assert.deepEqual(await ledger.latest(IMAGE), []);
    const made = await ledger.record(observation('pass', 1));
    assert.equal(made?.change, 'first');
    assert.equal(made?.sequence, 2);
  });

  test('history is bounded', async () => {
    const prefix = freshPrefix();
    const ledger = createRedisLedger(connection.client, { prefix, history: 10 });
    for (let minute = 0; minute < 15; minute++) {
      await ledger.record(observation(minute % 2 === 0 ? 'pass' : 'warn', minute));
    }
    const history = await ledger.history(IMAGE, 1000);
    assert.equal(history.length, 10);
    assert.equal(history[0]?.sequence, 15);
  });

  test('all keys that one script touches share a hash tag', () => {
    const keys = createKeys('p');
    const tags = (names: readonly string[]) => new Set(names.map((name) => /\{(.+)\}/.exec(name)?.[1]));
    assert.equal(tags(Object.values(keys.image(IMAGE))).size, 1);
    assert.equal(tags(Object.values(keys.index)).size, 1);
    assert.notDeepEqual(tags(Object.values(keys.image(IMAGE))), tags(Object.values(keys.image(OTHER))));
  });
});
