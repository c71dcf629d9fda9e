import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { durableQueues } from '#compose/durable-queues.ts';
import { createJobQueues } from '#queue/queues.ts';
import { checkDurability } from '#redis/check-durability.ts';
import { checkServer } from '#redis/check-server.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import type { Durability } from '#redis/durable-writes.ts';
import { imageJob } from '../../support/jobs.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

/** The queue of a producer that waits as this says. */
async function openQueues(redis: TestRedis, durability: Durability) {
  const stack = new AsyncDisposableStack();
  const connect = (role: 'producer' | 'waiter') => connectRedis({ url: redis.url, role, name: 'test' });
  const connection = stack.use(await connect('producer'));
  const config = { redis: { durability, prefix: 'durable' } } as Parameters<typeof durableQueues>[2]['config'];
  const queued = stack.use(createJobQueues({ connection, prefix: 'durable' }));
  const queues = await durableQueues(
    queued,
    connection,
    { config, connect: () => connect('waiter'), randomBytes: (count) => new Uint8Array(count).fill(7) },
    stack,
  );
  return { queues, connection, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function waiting(redis: TestRedis): Promise<number | undefined> {
  await using connection = await connectRedis({ url: redis.url, role: 'store', name: 'test' });
  await using queues = createJobQueues({ connection, prefix: 'durable' });
  return (await queues.counts()).find(({ lane }) => lane === 'push')?.waiting;
}

/** Until the replica has a copy and follows. */
async function following(replica: TestRedis): Promise<void> {
  await using connection = await connectRedis({ url: replica.url, role: 'store', name: 'test' });
  while (!(await connection.client.info('replication')).includes('master_link_status:up')) await sleep(50);
}

async function knowsWaitaof({ client }: RedisConnection): Promise<boolean> {
  return ((await client.call('COMMAND', 'INFO', 'WAITAOF')) as readonly unknown[])[0] !== null;
}

async function startPair() {
  const master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${master.port}`] });
  await following(replica);
  const stop = async () => void (await Promise.all([master.stop(), replica.stop()]));
  return { master, replica, [Symbol.asyncDispose]: stop };
}

test('a job counts as enqueued when a replica has it, and not while the replica hangs', async () => {
  await using pair = await startPair();
  const { master, replica } = pair;
  await using open = await openQueues(master, { replicas: 1, fsync: false, timeout: 3000 });
  assert.equal((await open.queues.enqueueImage('push', imageJob('team/first'))).state, 'queued');

  replica.pause();
  const unsafe = open.queues.enqueueImage('push', imageJob('team/second'));
  await assert.rejects(unsafe, { code: 'redis-unavailable', message: /not safely stored: on 0 of 1 replicas/ });

  // The sender repeats it, and it does not double.
  replica.resume();
  await following(replica);
  assert.equal((await open.queues.enqueueImage('push', imageJob('team/second'))).state, 'duplicate');
  assert.equal(await waiting(master), 2);
  // What was acknowledged is at the replica when the server is gone for good.
  await master.kill();
  assert.equal(await waiting(replica), 2);
});

test('senders that come while one waits share the next wait', async () => {
  await using pair = await startPair();
  await using open = await openQueues(pair.master, { replicas: 1, fsync: false, timeout: 2000 });
  const jobs = Array.from({ length: 200 }, (_, at) => imageJob(`team/app-${at}`));
  await Promise.all(jobs.map((job) => open.queues.enqueueImage('push', job)));
  const stats = await open.connection.client.info('commandstats');
  const waits = Number(/cmdstat_wait:calls=(\d+)/.exec(stats)?.[1]);
  assert.ok(waits >= 1 && waits < 100, `${waits} waits for 200 jobs`);
});

test('after kill -9 and a restart every job that was acknowledged is there', async () => {
  await using redis = await startRedis();
  await using open = await openQueues(redis, { replicas: 0, fsync: false, timeout: 500 });
  const jobs = Array.from({ length: 50 }, (_, at) => imageJob(`team/app-${at}`));
  await Promise.all(jobs.map((job) => open.queues.enqueueImage('push', job)));
  await redis.restart();
  assert.equal(await waiting(redis), 50);
});

test('fsync is refused at the start by a Redis without WAITAOF, by its version', async () => {
  await using redis = await startRedis();
  await using connection = await connectRedis({ url: redis.url, role: 'check', name: 'test' });
  const report = await checkServer(connection);
  const wanted = { replicas: 0, fsync: true, timeout: 1000 };
  // Whatever server is installed says of itself what it knows.
  if (!(await knowsWaitaof(connection))) {
    assert.throws(() => checkDurability(wanted, report, connection.address), {
      code: 'redis-unsuitable',
      field: 'redis.durability.fsync',
      message: new RegExp(`is version ${report.version.replaceAll('.', '\\.')}, .* WAITAOF of 7\\.2`),
    });
  } else checkDurability(wanted, report, connection.address);
  const others = [
    ['redis', '7.0.15', true, false],
    ['redis', '7.2.0', true, true],
    ['redis', '8.0.1', true, true],
    ['valkey', '7.2.5', true, true],
    ['redis', '7.4.0', false, false],
  ] as const;
  for (const [flavour, version, appendOnly, fits] of others) {
    const check = () => checkDurability(wanted, { ...report, flavour, version, appendOnly }, 'redis:6379/0');
    if (fits) check();
    else assert.throws(check, { code: 'redis-unsuitable' });
  }
});

test('with fsync a job counts as enqueued when disks have it; a server without WAITAOF accepts nothing', async () => {
  await using pair = await startPair();
  const { master, replica } = pair;
  await using open = await openQueues(master, { replicas: 1, fsync: true, timeout: 1000 });
  const enqueued = open.queues.enqueueImage('push', imageJob('team/app'));
  if (!(await knowsWaitaof(open.connection))) return await assert.rejects(enqueued);
  assert.equal((await enqueued).state, 'queued');
  replica.pause();
  await assert.rejects(open.queues.enqueueImage('push', imageJob('team/other')), {
    code: 'redis-unavailable',
    message: /on 0 of 1 replicas/,
  });
  replica.resume();
  await master.restart();
  assert.equal(await waiting(master), 2);
});
