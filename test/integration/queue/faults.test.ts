import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { ImageJob } from '#model/job.ts';
import { createJobQueues } from '#queue/queues.ts';
import { connectRedis } from '#redis/connection.ts';
import { imageJob } from '../../support/jobs.ts';
import { startRedis } from '../../support/redis.ts';
import { isCode, openLanes } from './lanes.ts';

/** What the product promises for a job whose worker died. */
const TAKEN_UP_WITHIN_MS = 10_000;

/** A worker process that begins a job and never ends it. */
async function doomedWorker(url: string, prefix: string): Promise<ChildProcess> {
  const script = `
    import { connectRedis } from '#redis/connection.ts';
    import { startWorkers } from '#queue/workers.ts';
    const connection = await connectRedis({ url: process.argv[1], role: 'worker', name: 'doomed' });
    await startWorkers({
      connection, prefix: process.argv[2], lanes: { push: 1 }, now: () => new Date(),
      handle: () => new Promise(() => console.log('begun')),
    });
  `;
  const args = ['--input-type=module', '-e', script, url, prefix];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

test('worker killed in the middle of a job: another takes it up in time, its attempt unspent', async () => {
  await using redis = await startRedis();
  await using lanes = await openLanes(redis);
  const { id } = await lanes.queues.enqueueImage('push', imageJob('a'));
  const child = await doomedWorker(redis.url, lanes.prefix);
  const again = Promise.withResolvers<{ jobId: string; attempt: number }>();
  await lanes.work({ handle: async (_work, context) => again.resolve(context) });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const late = AbortSignal.timeout(TAKEN_UP_WITHIN_MS);
  late.addEventListener('abort', () => again.reject(late.reason));
  const { jobId, attempt } = await again.promise;
  assert.deepEqual({ jobId, attempt }, { jobId: id, attempt: 1 });
});

test('Redis killed in mid-flight: every acknowledged job is run after its restart', async () => {
  await using redis = await startRedis();
  await using lanes = await openLanes(redis);
  const running = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const handled = new Set<string>();
  let more = Promise.withResolvers<void>();
  await lanes.work({
    lanes: { push: 1 },
    async handle({ job }) {
      running.resolve();
      await goOn.promise;
      handled.add(String((job as ImageJob).actor));
      more.resolve();
    },
  });
  const acknowledged: string[] = [];
  const enqueue = async (name: string) => {
    await lanes.queues.enqueueImage('push', imageJob(name, { actor: name }));
    acknowledged.push(name);
  };
  await enqueue('first');
  await running.promise;
  const inFlight = Array.from({ length: 40 }, (_, at) => enqueue(`job-${at}`));
  await Promise.race(inFlight);
  await redis.kill();
  await Promise.allSettled(inFlight);
  await redis.restart();
  goOn.resolve();
  while (!acknowledged.every((name) => handled.has(name))) {
    await more.promise;
    more = Promise.withResolvers();
  }
  assert.ok(acknowledged.includes('first'));
});

test('Redis frozen: the sender is told, and served once it answers again', async () => {
  await using redis = await startRedis();
  await using lanes = await openLanes(redis);
  await lanes.queues.enqueueImage('push', imageJob('a'));
  redis.pause();
  await assert.rejects(lanes.queues.enqueueImage('push', imageJob('b')), isCode('redis-unavailable'));
  await assert.rejects(lanes.queues.counts(), isCode('redis-unavailable'));
  redis.resume();
  // "Rejected" meant "unknown": whichever it was, sending it again makes it one job.
  await lanes.queues.enqueueImage('push', imageJob('b'));
  const push = (await lanes.queues.counts()).find((counts) => counts.lane === 'push');
  assert.equal(push?.waiting, 2);
});

test('Redis gone: the sender is told', async () => {
  await using redis = await startRedis();
  await using connection = await connectRedis({ url: redis.url, role: 'producer', name: 'test' });
  const queues = createJobQueues({ connection, prefix: 'gone' });
  await queues.enqueueImage('push', imageJob('a'));
  await redis.kill();
  await assert.rejects(queues.enqueueImage('push', imageJob('b')), isCode('redis-unavailable'));
  await connection.close();
  await queues.close();
});

test('Redis full: workers rest instead of asking without end, and go on by themselves', async () => {
  await using redis = await startRedis();
  await using lanes = await openLanes(redis);
  await lanes.queues.enqueueImage('push', imageJob('a'));
  await lanes.producer.client.config('SET', 'maxmemory', '1mb');
  let polls = 0;
  const refused = Promise.withResolvers<void>();
  await lanes.work({
    lanes: { push: 1 },
    handle: async () => undefined,
    onError: (error) => {
      assert.equal(error.code, 'redis-unavailable');
      polls += 1;
      if (polls === 3) refused.resolve();
    },
  });
  const began = performance.now();
  await refused.promise;
  const tookMs = performance.now() - began;
  // Without a rest it is thousands a second; a slow machine only makes the time longer.
  assert.ok(tookMs > 500, `three refusals in ${tookMs} ms`);
  await lanes.producer.client.config('SET', 'maxmemory', '0');
  await lanes.finished((run) => run.outcome === 'done');
});

test('Redis gone: workers stop all the same, and their jobs are told', async () => {
  await using redis = await startRedis();
  await using lanes = await openLanes(redis);
  const entered = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<unknown>();
  const workers = await lanes.work({
    async handle(_work, { signal }) {
      signal.addEventListener('abort', () => aborted.resolve(signal.reason), { once: true });
      entered.resolve();
      await aborted.promise;
    },
  });
  await lanes.queues.enqueueImage('push', imageJob('a'));
  await entered.promise;
  await redis.kill();
  await workers.stop({ deadlineMs: 0, graceMs: 10_000 });
  assert.ok(isCode('canceled')(await aborted.promise));
});
