import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ImageJob } from '#model/job.ts';
import { createJobQueues } from '#queue/queues.ts';
import { createMemoryGuard } from '#redis/memory-guard.ts';
import { deliverJob, imageJob } from '../../support/jobs.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { countOf, isCode, openLanes } from './lanes.ts';

let redis: TestRedis;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

test('one image is one job, however often it is announced', async () => {
  await using lanes = await openLanes(redis);
  const first = await lanes.queues.enqueueImage('push', imageJob('a'));
  assert.equal(first.state, 'queued');
  assert.deepEqual(await lanes.queues.enqueueImage('push', imageJob('a')), { id: first.id, state: 'duplicate' });
  const other = { ...imageJob('a'), image: { ...imageJob('a').image, repository: 'team/other' } };
  assert.equal((await lanes.queues.enqueueImage('push', other)).state, 'queued');
  assert.equal((await lanes.queues.enqueueImage('push', imageJob('a', { force: true }))).state, 'queued');
  assert.equal((await lanes.queues.enqueueImage('push', imageJob('a', { kind: 'verify' }))).state, 'queued');
  assert.deepEqual(await countOf(lanes, 'push'), { lane: 'push', waiting: 4, active: 0, delayed: 0, dead: 0 });
});

test('pushes during the running job run once after it, with the last payload, never beside it', async () => {
  await using lanes = await openLanes(redis);
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const seen: (string | undefined)[] = [];
  let parallel = 0;
  let most = 0;
  await lanes.work({
    async handle({ job }) {
      parallel += 1;
      most = Math.max(most, parallel);
      seen.push((job as ImageJob).actor);
      entered.resolve();
      if (seen.length === 1) await leave.promise;
      else second.resolve();
      parallel -= 1;
    },
  });
  const first = await lanes.queues.enqueueImage('push', imageJob('a', { actor: 'v1' }));
  await entered.promise;
  for (const actor of ['v2', 'v3', 'v4']) {
    const again = await lanes.queues.enqueueImage('push', imageJob('a', { actor }));
    assert.deepEqual(again, { id: first.id, state: 'duplicate' });
  }
  leave.resolve();
  await second.promise;
  await lanes.finished((run) => run.outcome === 'done' && run.jobId !== first.id);
  assert.deepEqual(seen, ['v1', 'v4']);
  assert.equal(most, 1);
  // A run is told as finished just before the queue is.
  for (let active = 1; active > 0; ) active = (await countOf(lanes, 'push'))?.active ?? 0;
  assert.equal((await lanes.queues.enqueueImage('push', imageJob('a'))).state, 'queued');
});

test('a delayed job waits for its time', async () => {
  await using lanes = await openLanes(redis);
  await lanes.queues.enqueueImage('push', imageJob('a'), { delayMs: 3_600_000 });
  assert.deepEqual(await countOf(lanes, 'push'), { lane: 'push', waiting: 0, active: 0, delayed: 1, dead: 0 });
});

test('a delivery is one job per id, also after it was made', async () => {
  await using lanes = await openLanes(redis);
  const first = await lanes.queues.enqueueDelivery(deliverJob('e1'), 'e1 to alerts');
  assert.equal(first.state, 'queued');
  const runs: string[] = [];
  await lanes.work({ handle: async (_work, context) => void runs.push(context.jobId) });
  await lanes.finished((run) => run.jobId === first.id);
  assert.deepEqual(await lanes.queues.enqueueDelivery(deliverJob('e1'), 'e1 to alerts'), {
    id: first.id,
    state: 'duplicate',
  });
  const second = await lanes.queues.enqueueDelivery(deliverJob('e1'), 'e1 to webhook');
  await lanes.finished((run) => run.jobId === second.id);
  assert.deepEqual(runs, [first.id, second.id]);
});

test('malformed and oversized jobs are refused at the door', async () => {
  await using lanes = await openLanes(redis);
  const noKind = { ...imageJob('a'), kind: 'paint' } as unknown as ImageJob;
  await assert.rejects(lanes.queues.enqueueImage('push', noKind), isCode('job-malformed'));
  const large = imageJob('a', { actor: 'x'.repeat(300_000) });
  await assert.rejects(lanes.queues.enqueueImage('push', large), isCode('job-malformed'));
});

test('nearly full: image jobs are refused, deliveries are not', async () => {
  await using lanes = await openLanes(redis);
  const memory = createMemoryGuard(lanes.producer, { limit: 0 });
  await using queues = createJobQueues({ connection: lanes.producer, prefix: lanes.prefix, memory });
  await assert.rejects(queues.enqueueImage('push', imageJob('a')), isCode('redis-unavailable'));
  assert.equal((await queues.enqueueDelivery(deliverJob('e'), 'e')).state, 'queued');
});
