import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { AppError, type ErrorCode } from '#model/errors.ts';
import type { ImageJob, Lane } from '#model/job.ts';
import type { DeadJob } from '#queue/processor.ts';
import { createJobQueues } from '#queue/queues.ts';
import { createMemoryGuard } from '#redis/memory-guard.ts';
import { deliverJob, imageJob } from '../../support/jobs.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { type Lanes, openLanes } from './lanes.ts';

let redis: TestRedis;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

function isCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof AppError && error.code === code;
}

const countOf = async (lanes: Lanes, lane: Lane) =>
  (await lanes.queues.counts()).find((counts) => counts.lane === lane);

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
  const noKind = { ...imageJob('a'), kind: 'sign' } as unknown as ImageJob;
  await assert.rejects(lanes.queues.enqueueImage('push', noKind), isCode('job-malformed'));
  const large = imageJob('a', { actor: 'x'.repeat(300_000) });
  await assert.rejects(lanes.queues.enqueueImage('push', large), isCode('job-malformed'));
});

test('a permanent failure is a dead letter with its reason, told before; it can be replayed and dropped', async () => {
  await using lanes = await openLanes(redis);
  const told: DeadJob[] = [];
  let broken = true;
  await lanes.work({
    async handle() {
      if (broken) throw new AppError('digest-mismatch', 'bytes do not match');
    },
    onDead: async (dead) => void told.push(dead),
  });
  const { id } = await lanes.queues.enqueueImage('push', imageJob('a'));
  await lanes.finished((run) => run.outcome === 'dead');
  const letter = await waitForLetter(lanes);
  assert.equal(letter.id, `push-${id}`);
  assert.equal(letter.attempts, 1);
  assert.deepEqual(letter.job, imageJob('a'));
  assert.deepEqual(letter.reason, {
    class: 'permanent',
    code: 'digest-mismatch',
    message: 'bytes do not match',
    exhausted: false,
  });
  assert.deepEqual(told, [{ lane: 'push', jobId: id, reason: letter.reason, attempts: 1, payload: imageJob('a') }]);
  broken = false;
  assert.equal(await lanes.dead.replay(letter.id), true);
  await lanes.finished((run) => run.outcome === 'done');
  assert.deepEqual(await lanes.dead.list({ limit: 10 }), []);
  assert.equal(await lanes.dead.replay(letter.id), false);
  broken = true;
  const again = await lanes.queues.enqueueImage('cause', imageJob('b'));
  await lanes.finished((run) => run.outcome === 'dead' && run.lane === 'cause');
  await waitForLetter(lanes);
  assert.equal(await lanes.dead.drop(`cause-${again.id}`), true);
  assert.equal(await lanes.dead.drop(`cause-${again.id}`), false);
  for (const id of ['', 'push', 'nowhere-1', 'push-*', 'push-meta', '-'])
    assert.equal(await lanes.dead.replay(id), false);
});

test('replayAll puts back every lane; a delivery keeps its id', async () => {
  await using lanes = await openLanes(redis);
  let broken = true;
  await lanes.work({
    async handle() {
      if (broken) throw new AppError('sink-rejected', 'no');
    },
  });
  const delivery = await lanes.queues.enqueueDelivery(deliverJob('e'), 'e');
  await lanes.queues.enqueueImage('push', imageJob('a'));
  await lanes.finished((run) => run.outcome === 'dead' && run.lane === 'push');
  await lanes.finished((run) => run.outcome === 'dead' && run.lane === 'deliver');
  await waitForLetter(lanes, 2);
  broken = false;
  assert.equal(await lanes.dead.replayAll('cause'), 0);
  assert.equal(await lanes.dead.replayAll(), 2);
  await lanes.finished((run) => run.outcome === 'done' && run.jobId === delivery.id);
  await lanes.finished((run) => run.outcome === 'done' && run.lane === 'push');
  assert.deepEqual(await lanes.dead.list({ limit: 10 }), []);
});

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

test('what may pass is tried again, then given up with the last reason', async () => {
  await using lanes = await openLanes(redis);
  const attempts: number[] = [];
  await lanes.work({
    limits: { transientAttempts: 2 },
    async handle(_work, { attempt }) {
      attempts.push(attempt);
      throw new AppError('registry-unavailable', '503');
    },
  });
  await lanes.queues.enqueueImage('push', imageJob('a'));
  await lanes.finished((run) => run.outcome === 'dead');
  assert.deepEqual(attempts, [1, 2]);
  const letter = await waitForLetter(lanes);
  assert.equal(letter.reason.code, 'registry-unavailable');
  assert.equal(letter.reason.exhausted, true);
});

test('a payload that was damaged in Redis is a dead letter, and stays one', async () => {
  await using lanes = await openLanes(redis);
  const { id } = await lanes.queues.enqueueImage('push', imageJob('a'));
  await lanes.producer.client.hset(`${lanes.prefix}:{queue-push}:push:${id}`, 'data', '{"v":7}');
  await lanes.work({ handle: async () => assert.fail('must not be handled') });
  const run = await lanes.finished((finished) => finished.outcome === 'dead');
  assert.equal(run.error?.code, 'job-malformed');
  const letter = await waitForLetter(lanes);
  await assert.rejects(lanes.dead.replay(letter.id), isCode('job-malformed'));
  assert.equal(await lanes.dead.replayAll(), 0);
  assert.equal((await lanes.dead.list({ limit: 10 })).length, 1);
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

test('nearly full: image jobs are refused, deliveries are not', async () => {
  await using lanes = await openLanes(redis);
  const memory = createMemoryGuard(lanes.producer, { limit: 0 });
  await using queues = createJobQueues({ connection: lanes.producer, prefix: lanes.prefix, memory });
  await assert.rejects(queues.enqueueImage('push', imageJob('a')), isCode('redis-unavailable'));
  assert.equal((await queues.enqueueDelivery(deliverJob('e'), 'e')).state, 'queued');
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

/** The set of dead letters is written just after the run is told as finished. */
async function waitForLetter(lanes: Lanes, wanted = 1) {
  for (;;) {
    const letters = await lanes.dead.list({ limit: 10 });
    const [letter] = letters;
    if (letter && letters.length >= wanted) return letter;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
