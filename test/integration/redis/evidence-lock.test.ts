import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import { createEvidenceLock } from '#redis/evidence-lock.ts';
import { createKeys } from '#redis/keys.ts';
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

const PREFIX = 'lock';
const LONG_MS = 60_000;

function freshLocation() {
  count += 1;
  return { registry: 'registry.example', repository: 'team/app', digest: sha256(`image ${count}`) };
}

function lockOf(leaseMs: number, now?: () => number) {
  return createEvidenceLock(connection.client, { prefix: PREFIX, leaseMs, ...(now ? { now } : {}) });
}

function isCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof AppError && error.code === code;
}

test('one writer at a time; each acquisition has a higher fence', async () => {
  const location = freshLocation();
  const lock = lockOf(LONG_MS);
  const first = await lock.acquire(location, 0);
  await first.check();
  await assert.rejects(lock.acquire(location, 0), isCode('lock-lost'));
  await first[Symbol.asyncDispose]();
  await using second = await lock.acquire(location, 0);
  assert.ok(second.fence > first.fence);
  await second.check();
  await assert.rejects(first.check(), isCode('lock-lost'));
});

test('who waits gets it when it is given back', async () => {
  const location = freshLocation();
  const lock = lockOf(LONG_MS);
  const first = await lock.acquire(location, 0);
  const waiting = lock.acquire(location, LONG_MS);
  await first[Symbol.asyncDispose]();
  await using second = await waiting;
  assert.ok(second.fence > first.fence);
});

test('waiting ends with the signal', async () => {
  const location = freshLocation();
  const lock = lockOf(LONG_MS);
  await using _held = await lock.acquire(location, 0);
  const stop = new AbortController();
  const waiting = lock.acquire(location, LONG_MS, stop.signal);
  stop.abort(new AppError('canceled', 'stopping'));
  await assert.rejects(waiting, isCode('canceled'));
});

test('other locations are free', async () => {
  const lock = lockOf(LONG_MS);
  await using first = await lock.acquire(freshLocation(), 0);
  await using second = await lock.acquire(freshLocation(), 0);
  await Promise.all([first.check(), second.check()]);
});

test('a lease that another took is lost, and giving it back leaves the other alone', async () => {
  const location = freshLocation();
  const lock = lockOf(LONG_MS);
  const first = await lock.acquire(location, 0);
  await connection.client.del(createKeys(PREFIX).lock(location));
  await using second = await lock.acquire(location, 0);
  await assert.rejects(first.check(), isCode('lock-lost'));
  assert.ok(first.signal.aborted);
  await first[Symbol.asyncDispose]();
  await second.check();
});

test('it is renewed while it is held', async () => {
  const location = freshLocation();
  const lock = lockOf(1200);
  await using lease = await lock.acquire(location, 0);
  // Longer than the lease: only renewals keep the other out.
  await assert.rejects(lock.acquire(location, 2500), isCode('lock-lost'));
  await lease.check();
  assert.ok(!lease.signal.aborted);
});

test('a clock that ran past the lease loses it without asking', async () => {
  let now = 0;
  const lock = lockOf(LONG_MS, () => now);
  await using lease = await lock.acquire(freshLocation(), 0);
  await lease.check();
  now = LONG_MS;
  await assert.rejects(lease.check(), isCode('lock-lost'));
  assert.ok(isCode('lock-lost')(lease.signal.reason));
});

test('a Redis that lost its data never gives out an old fence', async () => {
  const location = freshLocation();
  const lock = lockOf(LONG_MS);
  const first = await lock.acquire(location, 0);
  const keys = createKeys(PREFIX);
  await connection.client.del(keys.lock(location), keys.fence(location));
  await using second = await lock.acquire(location, 0);
  assert.ok(second.fence > first.fence);
  await assert.rejects(first.check(), isCode('lock-lost'));
});

test('Redis frozen for longer than the lease: the holder knows by its own clock', async () => {
  await using own = await startRedis();
  await using other = await connectRedis({ url: own.url, role: 'store', name: 'test' });
  const lock = createEvidenceLock(other.client, { prefix: PREFIX, leaseMs: 600 });
  const lease = await lock.acquire(freshLocation(), 0);
  own.pause();
  await once(lease.signal, 'abort');
  assert.ok(isCode('lock-lost')(lease.signal.reason));
  own.resume();
  await assert.rejects(lease.check(), isCode('lock-lost'));
  await lease[Symbol.asyncDispose]();
});

test('a holder that was stopped for longer than its lease cannot pass the check', async () => {
  const location = freshLocation();
  const script = `
    import { connectRedis } from '#redis/connection.ts';
    import { createEvidenceLock } from '#redis/evidence-lock.ts';
    const [url, location] = [process.argv[1], JSON.parse(process.argv[2])];
    const connection = await connectRedis({ url, role: 'store', name: 'child' });
    const lock = createEvidenceLock(connection.client, { prefix: '${PREFIX}', leaseMs: 500 });
    const lease = await lock.acquire(location, 0);
    console.log(lease.fence);
    process.stdin.once('data', async () => {
      console.log(await lease.check().then(() => 'passed', (error) => error.code));
      console.log(lease.signal.aborted);
      await lease[Symbol.asyncDispose]();
      await connection.close();
      process.exit();
    });
  `;
  const args = ['--input-type=module', '-e', script, redis.url, JSON.stringify(location)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => String((await lines.next()).value);
  const fence = Number(await read());
  child.kill('SIGSTOP');
  await using lease = await lockOf(LONG_MS).acquire(location, LONG_MS);
  assert.ok(lease.fence > fence);
  child.kill('SIGCONT');
  child.stdin.write('check\n');
  assert.equal(await read(), 'lock-lost');
  assert.equal(await read(), 'true');
  await once(child, 'exit');
  await lease.check();
});
