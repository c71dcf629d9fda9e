import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import type { DeadJob } from '#queue/processor.ts';
import { deliverJob, imageJob } from '../../support/jobs.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { isCode, type Lanes, openLanes } from './lanes.ts';

let redis: TestRedis;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

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

/** The set of dead letters is written just after the run is told as finished. */
async function waitForLetter(lanes: Lanes, wanted = 1) {
  for (;;) {
    const letters = await lanes.dead.list({ limit: 10 });
    const [letter] = letters;
    if (letter && letters.length >= wanted) return letter;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
