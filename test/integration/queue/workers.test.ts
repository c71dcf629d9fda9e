import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { imageJob } from '../../support/jobs.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { countOf, isCode, openLanes } from './lanes.ts';

let redis: TestRedis;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

test('told to wait: runs again and costs no attempt', async () => {
  await using lanes = await openLanes(redis);
  const attempts: number[] = [];
  await lanes.work({
    async handle(_work, { attempt }) {
      attempts.push(attempt);
      if (attempts.length === 1) throw new AppError('registry-throttled', '429', { retryAfterMs: 1 });
    },
  });
  await lanes.queues.enqueueImage('push', imageJob('a'));
  await lanes.finished((run) => run.outcome === 'throttled');
  await lanes.finished((run) => run.outcome === 'done');
  assert.deepEqual(attempts, [1, 1]);
});

test('a job whose workers died again and again is set aside, and no other waits for it', async () => {
  await using lanes = await openLanes(redis);
  const { id } = await lanes.queues.enqueueImage('push', imageJob('a'));
  await lanes.queues.enqueueImage('push', imageJob('b'));
  const unfinished = `${lanes.prefix}:{queue-push}:unfinished`;
  await lanes.producer.client.hset(unfinished, id, 4);
  await lanes.work({ lanes: { push: 1 }, handle: async () => undefined });
  const dead = await lanes.finished((run) => run.outcome === 'dead');
  assert.equal(dead.jobId, id);
  assert.equal(dead.error?.code, 'job-poisoned');
  await lanes.finished((run) => run.outcome === 'done');
  assert.equal(await lanes.producer.client.hlen(unfinished), 0);
});

test('a graceful stop lets running jobs end and takes no more', async () => {
  await using lanes = await openLanes(redis);
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  const handled: string[] = [];
  const workers = await lanes.work({
    lanes: { push: 1 },
    async handle(_work, { jobId }) {
      handled.push(jobId);
      entered.resolve();
      await leave.promise;
    },
  });
  const first = await lanes.queues.enqueueImage('push', imageJob('a'));
  await lanes.queues.enqueueImage('push', imageJob('b'));
  await entered.promise;
  const stopped = workers.stop({ deadlineMs: 60_000 });
  leave.resolve();
  await stopped;
  assert.deepEqual(handled, [first.id]);
  assert.deepEqual(await countOf(lanes, 'push'), { lane: 'push', waiting: 1, active: 0, delayed: 0, dead: 0 });
});

test('past the deadline a job is stopped and goes to another worker, its attempt unspent', async () => {
  await using lanes = await openLanes(redis);
  const entered = Promise.withResolvers<void>();
  const workers = await lanes.work({
    async handle(_work, { signal }) {
      entered.resolve();
      await once(signal, 'abort');
      throw new Error('broke off');
    },
  });
  await lanes.queues.enqueueImage('push', imageJob('a'));
  await entered.promise;
  await workers.stop({ deadlineMs: 0, graceMs: 60_000 });
  await lanes.finished((run) => run.outcome === 'released');
  const attempts: number[] = [];
  await lanes.work({ handle: async (_work, { attempt }) => void attempts.push(attempt) });
  await lanes.finished((run) => run.outcome === 'done');
  assert.deepEqual(attempts, [1]);
});

test('a job that was given to another worker is stopped here', async () => {
  await using lanes = await openLanes(redis);
  const entered = Promise.withResolvers<string>();
  const reason = Promise.withResolvers<unknown>();
  await lanes.work({
    async handle(_work, { signal, jobId }) {
      entered.resolve(jobId);
      signal.addEventListener('abort', () => reason.resolve(signal.reason), { once: true });
      await reason.promise;
    },
  });
  await lanes.queues.enqueueImage('push', imageJob('a'));
  const jobId = await entered.promise;
  await lanes.producer.client.set(`${lanes.prefix}:{queue-push}:push:${jobId}:lock`, 'another');
  assert.ok(isCode('lock-lost')(await reason.promise));
  await lanes.producer.client.del(`${lanes.prefix}:{queue-push}:push:${jobId}:lock`);
});

test('health tells of polls and slots', async () => {
  await using lanes = await openLanes(redis);
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  const workers = await lanes.work({
    lanes: { push: 1 },
    async handle() {
      entered.resolve();
      await leave.promise;
    },
  });
  await lanes.queues.enqueueImage('push', imageJob('a'));
  await entered.promise;
  const [health, ...others] = workers.health();
  assert.deepEqual(others, []);
  assert.equal(health?.running, 1);
  assert.equal(health?.concurrency, 1);
  assert.equal(health?.connected, true);
  leave.resolve();
});
