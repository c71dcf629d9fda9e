import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { ensureWakes, startWakeHandler } from '#queue/schedule.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
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

/** The next tick of each wake, as it lies in Redis. */
async function ticks(prefix: string): Promise<Record<string, string>> {
  const flat = await connection.client.zrange(`${prefix}:{queue-wake}:wake:repeat`, '0', '-1', 'WITHSCORES');
  return Object.fromEntries(flat.flatMap((id, at) => (at % 2 === 0 ? [[id, flat[at + 1] ?? '']] : [])));
}

test('the wakes in Redis become exactly those that are wanted', async () => {
  const options = { connection, prefix: 'wanted' };
  await ensureWakes(options, [
    { id: 'policy-a', everyMs: 3_600_000 },
    { id: 'relay', everyMs: 60_000 },
  ]);
  const before = await ticks('wanted');
  assert.deepEqual(Object.keys(before).sort(), ['policy-a', 'relay']);
  await ensureWakes(options, [
    { id: 'policy-a', everyMs: 3_600_000 },
    { id: 'sweep', everyMs: 60_000 },
  ]);
  const now = await ticks('wanted');
  assert.deepEqual(Object.keys(now).sort(), ['policy-a', 'sweep']);
  assert.equal(now['policy-a'], before['policy-a']);
  await ensureWakes(options, []);
  assert.deepEqual(await ticks('wanted'), {});
});

test('a wake that is not possible is refused by name', async () => {
  for (const wake of [
    { id: 'a:b', everyMs: 60_000 },
    { id: 'fast', everyMs: 10 },
    { id: 'never', everyMs: Number.NaN },
  ]) {
    await assert.rejects(ensureWakes({ connection, prefix: 'refused' }, [wake]), (error) => {
      assert.ok(error instanceof AppError && error.code === 'config-invalid');
      return error.message.includes(JSON.stringify(wake.id));
    });
  }
});

test('wakes come again and again, also after one that failed', async () => {
  await using worker = await connectRedis({ url: redis.url, role: 'worker', name: 'test' });
  const options = { connection, prefix: 'ticking' };
  const third = Promise.withResolvers<void>();
  const woken: string[] = [];
  const errors: AppError[] = [];
  const handler = await startWakeHandler({
    connection: worker,
    prefix: 'ticking',
    async handle(id) {
      woken.push(id);
      if (woken.length === 3) third.resolve();
      throw new AppError('redis-unavailable', 'not now');
    },
    onError: (error) => void errors.push(error),
  });
  await ensureWakes(options, [{ id: 'relay', everyMs: 1000 }]);
  await third.promise;
  assert.deepEqual(woken.slice(0, 3), ['relay', 'relay', 'relay']);
  assert.ok(errors.length >= 2 && errors.every((error) => error.message === 'not now'));
  await ensureWakes(options, []);
  await handler[Symbol.asyncDispose]();
});
