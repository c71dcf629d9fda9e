import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AppError, type ErrorCode } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import { checkServer } from '#redis/check-server.ts';
import { connectRedis } from '#redis/connection.ts';
import { createMemoryGuard } from '#redis/memory-guard.ts';
import { redisCall } from '#redis/redis-error.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

const PASSWORD = 'correct-horse-battery';
let redis: TestRedis;
before(async () => {
  redis = await startRedis({ args: ['--requirepass', PASSWORD] });
});
after(() => redis.stop());

function isCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof AppError && error.code === code;
}

function withPassword(password: string): string {
  return redis.url.replace('//', `//default:${password}@`);
}

const secret = new Secret(PASSWORD, 'env:REDIS_PASSWORD');

test('the client answers when it is handed over; the address holds no password', async () => {
  await using connection = await connectRedis({ url: withPassword(PASSWORD), role: 'check', name: 'test' });
  assert.equal(await connection.client.ping(), 'PONG');
  assert.equal(connection.address, `127.0.0.1:${redis.port}/0`);
});

test('a boxed password and a database number', async () => {
  const options = { url: `${redis.url}/3`, role: 'store', name: 'test', password: secret } as const;
  await using connection = await connectRedis(options);
  await connection.client.set('here', 'yes');
  await using other = await connectRedis({ ...options, url: redis.url });
  assert.equal(await other.client.get('here'), null);
});

test('refused credentials: at once, by name, and never printed', async () => {
  await assert.rejects(
    connectRedis({ url: withPassword('wrong-secret-word'), role: 'worker', name: 'test', readyTimeoutMs: 60_000 }),
    (error) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, 'redis-unsuitable');
      assert.ok(!`${error.stack}${error.message}${error.mend}`.includes('wrong-secret-word'));
      return true;
    },
  );
});

test('what is no address of Redis is refused without being repeated', async () => {
  for (const url of ['http://user:topsecret@host', 'not a url topsecret', 'redis://', 'redis://host/topsecret']) {
    await assert.rejects(connectRedis({ url, role: 'check', name: 'test' }), (error) => {
      assert.ok(isCode('config-invalid')(error));
      assert.ok(error instanceof AppError && error.field === 'redis.url' && !error.message.includes('topsecret'));
      return true;
    });
  }
});

test('nobody there: unavailable', async () => {
  const gone = await startRedis();
  await gone.stop();
  for (const role of ['check', 'producer'] as const) {
    const connect = connectRedis({ url: gone.url, role, name: 'test', readyTimeoutMs: 300 });
    await assert.rejects(connect, isCode('redis-unavailable'));
  }
});

test('a producer is told soon when Redis is frozen, and served when it is back', async () => {
  await using own = await startRedis();
  await using connection = await connectRedis({ url: own.url, role: 'producer', name: 'test' });
  own.pause();
  await assert.rejects(redisCall('ping', connection.client.ping()), isCode('redis-unavailable'));
  own.resume();
  assert.equal(await connection.client.ping(), 'PONG');
  await own.kill();
  await assert.rejects(redisCall('ping', connection.client.ping()), isCode('redis-unavailable'));
  const back = new Promise((resolve) => connection.client.once('ready', resolve));
  await own.restart();
  await back;
  assert.equal(await connection.client.ping(), 'PONG');
});

test('closing does not wait for a server that is frozen', async () => {
  await using own = await startRedis();
  const connection = await connectRedis({ url: own.url, role: 'worker', name: 'test' });
  own.pause();
  await connection.close();
  assert.equal(connection.client.status, 'end');
});

test('a sound server is reported without warnings but the missing limit', async () => {
  await using connection = await connectRedis({ url: redis.url, role: 'check', name: 'test', password: secret });
  const report = await checkServer(connection);
  assert.equal(report.flavour, 'redis');
  assert.match(report.version, /^\d+\.\d+/);
  assert.deepEqual(
    report.warnings.map((warning) => warning.code),
    ['no-memory-limit'],
  );
  assert.equal(report.memory.share, 0);
});

test('a server that evicts is refused with the mend; without append-only file it is warned of', async () => {
  await using own = await startRedis({ args: ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru'] });
  await using connection = await connectRedis({ url: own.url, role: 'check', name: 'test' });
  await assert.rejects(checkServer(connection), (error) => {
    assert.ok(error instanceof AppError && error.code === 'redis-unsuitable');
    assert.match(`${error.message} ${error.mend}`, /allkeys-lru.*noeviction/);
    return true;
  });
  await connection.client.config('SET', 'maxmemory-policy', 'noeviction');
  await connection.client.config('SET', 'maxmemory', '100mb');
  const report = await checkServer(connection);
  assert.deepEqual(
    report.warnings.map((warning) => warning.code),
    ['aof-off'],
  );
  assert.ok(report.memory.share > 0 && report.memory.share < 0.5);
});

test('intake stops at the limit and goes on below it; one look counts for a while', async () => {
  await using own = await startRedis();
  await using connection = await connectRedis({ url: own.url, role: 'check', name: 'test' });
  let now = 0;
  const guard = createMemoryGuard(connection, { limit: 0.8, lookEveryMs: 1000, now: () => now });
  await guard.requireRoom();
  await connection.client.config('SET', 'maxmemory', '1mb');
  await guard.requireRoom();
  now = 1001;
  await assert.rejects(guard.requireRoom(), (error) => {
    assert.ok(error instanceof AppError && error.code === 'redis-unavailable');
    assert.ok((error.retryAfterMs ?? 0) > 0);
    return true;
  });
  await connection.client.config('SET', 'maxmemory', '1gb');
  now = 2002;
  await guard.requireRoom();
});
