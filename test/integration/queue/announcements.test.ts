import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import type { Announcement } from '#model/job.ts';
import { imageJob } from '../../support/jobs.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { openLanes } from './lanes.ts';

let redis: TestRedis;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

function tagged(tag: string, actor: string) {
  const job = imageJob('a', { actor });
  return { ...job, image: { ...job.image, tag } };
}

function said(announced: readonly Announcement[] = []): readonly string[] {
  return announced.map(({ actor, tag }) => `${actor} ${tag}`).sort();
}

test('a run hears of every announcement that became its job, and the next one of none of them', async () => {
  await using lanes = await openLanes(redis);
  for (const job of [tagged('latest', 'eve'), tagged('v1', 'ci'), tagged('latest', 'eve')]) {
    await lanes.queues.enqueueImage('push', job);
  }
  const heard: (readonly string[])[] = [];
  await lanes.work({
    async handle(work) {
      if (work.lane !== 'deliver') heard.push(said(work.announced));
    },
  });
  const first = await lanes.finished(({ outcome }) => outcome === 'done');
  await lanes.queues.enqueueImage('push', tagged('latest', 'mallory'));
  await lanes.finished(({ outcome, jobId }) => outcome === 'done' && jobId !== first.jobId);
  assert.deepEqual(heard, [['ci v1', 'eve latest'], ['mallory latest']]);
});

test('one that comes while the job runs is heard by the run after it, whatever came behind it', async () => {
  await using lanes = await openLanes(redis);
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  const heard: (readonly string[])[] = [];
  await lanes.work({
    async handle(work) {
      if (work.lane !== 'deliver') heard.push(said(work.announced));
      entered.resolve();
      if (heard.length === 1) await leave.promise;
    },
  });
  const { id } = await lanes.queues.enqueueImage('push', tagged('latest', 'eve'));
  await entered.promise;
  await lanes.queues.enqueueImage('push', tagged('latest', 'ci'));
  await lanes.queues.enqueueImage('push', tagged('latest', 'mallory'));
  leave.resolve();
  await lanes.finished(({ outcome, jobId }) => outcome === 'done' && jobId !== id);
  assert.deepEqual(heard, [['eve latest'], ['ci latest', 'mallory latest']]);
});

test('a run that fails has settled nothing', async () => {
  await using lanes = await openLanes(redis);
  const heard: (readonly string[])[] = [];
  await lanes.queues.enqueueImage('push', tagged('latest', 'eve'));
  await lanes.queues.enqueueImage('push', tagged('v1', 'ci'));
  await lanes.work({
    async handle(work) {
      if (work.lane !== 'deliver') heard.push(said(work.announced));
      if (heard.length === 1) throw new AppError('network', 'the registry is away');
    },
  });
  await lanes.finished(({ outcome }) => outcome === 'done');
  assert.deepEqual(heard, [
    ['ci v1', 'eve latest'],
    ['ci v1', 'eve latest'],
  ]);
});
