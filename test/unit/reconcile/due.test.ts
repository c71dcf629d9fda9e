import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryLedger } from '#ledger/memory-ledger.ts';
import { sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { ImageJob } from '#model/job.ts';
import { type EnqueueDueOptions, enqueueDue } from '#reconcile/due.ts';
import { at, observation, verdict } from '../../support/observations.ts';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const digest = sha256('app');
/** A registry name need not look like a host. */
const IMAGE = `prod/team/app@${digest}`;

function recordingQueue() {
  const jobs: { lane: string; job: ImageJob }[] = [];
  const queues: EnqueueDueOptions['queues'] = {
    async enqueueImage(lane, job) {
      jobs.push({ lane, job });
      return { id: '1', state: 'queued' };
    },
  };
  return { jobs, queues };
}

function options(ledger: EnqueueDueOptions['ledger'], queues: EnqueueDueOptions['queues'], minutes: number) {
  return { ledger, queues, now: at(minutes), limit: 100, traceparent: () => TRACEPARENT };
}

test('one check per image, whatever the number of its policies, and not twice', async () => {
  const ledger = createMemoryLedger();
  const { jobs, queues } = recordingQueue();
  const due = { image: IMAGE, tag: 'v1', nextDue: at(10) };
  await ledger.record(observation('pass', 0, due));
  await ledger.record(observation('pass', 0, { ...due, verdict: verdict('pass', 'file:second') }));
  assert.deepEqual(await enqueueDue(options(ledger, queues, 9)), { items: 0, jobs: 0 });
  assert.deepEqual(await enqueueDue(options(ledger, queues, 11)), { items: 2, jobs: 1 });
  assert.deepEqual(jobs, [
    {
      lane: 'cause',
      job: {
        v: 1,
        kind: 'verify',
        image: { registry: 'prod', repository: 'team/app', tag: 'v1', digest },
        source: 'scheduler',
        cause: 'schedule',
        traceparent: TRACEPARENT,
        receivedAt: at(11).toISOString(),
      },
    },
  ]);
  assert.deepEqual(await enqueueDue(options(ledger, queues, 12)), { items: 0, jobs: 0 });
});

test('a check that never reports is due again after a while', async () => {
  const ledger = createMemoryLedger();
  const { queues } = recordingQueue();
  await ledger.record(observation('pass', 0, { image: IMAGE, nextDue: at(10) }));
  await enqueueDue(options(ledger, queues, 10));
  assert.deepEqual(await enqueueDue(options(ledger, queues, 30)), { items: 1, jobs: 1 });
});

test('when the queue is away nothing is deferred', async () => {
  const ledger = createMemoryLedger();
  const { queues } = recordingQueue();
  await ledger.record(observation('pass', 0, { image: IMAGE, nextDue: at(10) }));
  const away: EnqueueDueOptions['queues'] = {
    enqueueImage: () => Promise.reject(new AppError('redis-unavailable', 'away')),
  };
  await assert.rejects(enqueueDue(options(ledger, away, 10)), /away/);
  assert.deepEqual(await enqueueDue(options(ledger, queues, 10)), { items: 1, jobs: 1 });
});

test('a name that no job could settle is dropped', async () => {
  const ledger = createMemoryLedger();
  const { queues } = recordingQueue();
  for (const image of ['app', `app@${digest}`, 'prod/app@sha256:x', `/app@${digest}`]) {
    await ledger.record(observation('pass', 0, { image, nextDue: at(1) }));
  }
  assert.deepEqual(await enqueueDue(options(ledger, queues, 2)), { items: 4, jobs: 0 });
  assert.deepEqual(await enqueueDue(options(ledger, queues, 60)), { items: 0, jobs: 0 });
});
