import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { createKeys } from '#redis/keys.ts';
import { imageJob } from '../../support/jobs.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { countOf, openLanes } from './lanes.ts';

let redis: TestRedis;

before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

describe('turns within a lane', () => {
  test('a source with many jobs waiting delays the job of another one by those that run alone', async () => {
    await using lanes = await openLanes(redis);
    for (let at = 0; at < 200; at++) {
      await lanes.queues.enqueueImage('push', imageJob(`noisy ${at}`, { source: 'noisy' }));
    }
    for (const name of ['a', 'b']) await lanes.queues.enqueueImage('push', imageJob(name, { source: 'quiet' }));
    assert.equal((await countOf(lanes, 'push'))?.waiting, 202);
    const order: string[] = [];
    const all = Promise.withResolvers<void>();
    await lanes.work({
      lanes: { push: 1 },
      handle: async ({ job }) => {
        order.push('source' in job ? job.source : '');
        if (order.length === 202) all.resolve();
      },
    });
    await all.promise;
    assert.deepEqual(order.slice(0, 4), ['noisy', 'quiet', 'noisy', 'quiet'], 'they take turns');
    assert.ok(order.slice(4).every((source) => source === 'noisy'));
  });

  test('a source that goes on sending does not keep one waiting that came before', async () => {
    await using lanes = await openLanes(redis);
    const send = (source: string, at: number) =>
      lanes.queues.enqueueImage('push', imageJob(`${source} ${at}`, { source }));
    for (let at = 0; at < 5; at++) await send('early', at);
    const order: string[] = [];
    const all = Promise.withResolvers<void>();
    await lanes.work({
      lanes: { push: 1 },
      handle: async ({ job }) => {
        const source = 'source' in job ? job.source : '';
        order.push(source);
        if (order.length < 50) await send('late', order.length);
        if (order.filter((each) => each === 'early').length === 5) all.resolve();
      },
    });
    await all.promise;
    assert.ok(order.length <= 11, `one each in turn: ${order.join(' ')}`);
  });

  test('registries take turns in the backfill lane', async () => {
    await using lanes = await openLanes(redis);
    const job = (registry: string, at: number) => {
      const { image, ...rest } = imageJob(`${registry} ${at}`, { source: 'backfill', cause: 'backfill' });
      return { ...rest, image: { ...image, registry } };
    };
    for (let at = 0; at < 20; at++) await lanes.queues.enqueueImage('backfill', job('large.example', at));
    await lanes.queues.enqueueImage('backfill', job('small.example', 0));
    const order: string[] = [];
    const all = Promise.withResolvers<void>();
    await lanes.work({
      lanes: { backfill: 1 },
      handle: async ({ job: { image } }: never) => {
        order.push((image as { registry: string }).registry);
        if (order.length === 21) all.resolve();
      },
    });
    await all.promise;
    assert.equal(order.indexOf('small.example'), 1);
  });
});

describe('a job that is put off', () => {
  test('spends neither its tries nor the waits that it may be told to make', async () => {
    await using lanes = await openLanes(redis);
    let starts = 0;
    const failures = [
      ...(['registry-resting', 'registry-resting', 'over-budget', 'over-budget'] as const),
      ...(['registry-throttled', 'registry-unavailable'] as const),
    ];
    const done = Promise.withResolvers<number>();
    await lanes.work({
      lanes: { push: 1 },
      // One failed try, one wait: a put-off that counted would be one too many.
      limits: { transientAttempts: 2, waits: 1 },
      async handle(_work, { attempt }) {
        const code = failures[starts++];
        if (code === undefined) return done.resolve(attempt);
        throw new AppError(code, code, { retryAfterMs: 1 });
      },
    });
    await lanes.queues.enqueueImage('push', imageJob('put off'));
    assert.equal(await done.promise, 2, 'the one that failed');
    await lanes.finished(({ outcome }) => outcome === 'done');
    assert.equal(starts, 7);
    assert.deepEqual(await lanes.dead.list({ limit: 10 }), []);
    const left = await lanes.producer.client.hlen(createKeys(lanes.prefix).putOffs('push'));
    assert.equal(left, 0, 'nothing is kept of a job that is done');
  });
});
