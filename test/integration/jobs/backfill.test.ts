import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Digest } from '#model/digest.ts';
import { attachedDigests } from '../../support/attachments.ts';
import { runCli, startCli } from '../../support/cli.ts';
import { type FaultGround, openFaultGround } from '../../support/fault-ground.ts';
import { REGISTRY } from '../../support/installation.ts';
import { imageJob } from '../../support/jobs.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { until, untilIdle } from '../../support/worker-setup.ts';

const WORKER = { listen: { host: '127.0.0.1', port: 0 }, concurrency: { backfill: 2 } };

function open(more: object = {}): Promise<FaultGround> {
  return openFaultGround({}, ({ host }) => ({
    registries: [{ name: REGISTRY, address: host }],
    worker: WORKER,
    ...more,
  }));
}

async function backfill({ workers }: FaultGround, ...args: readonly string[]) {
  const { code, stdout, stderr } = await runCli(['backfill', '--config', workers.file, '--json', ...args]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

async function pushMany({ client }: FaultGround, count: number): Promise<ReadonlyMap<string, Digest>> {
  const digests = new Map<string, Digest>();
  for (let at = 0; at < count; at++) {
    const repository = `team/app-${at}`;
    digests.set(repository, await push(client, repository, '1.0', await smallImage(repository)));
  }
  return digests;
}

describe('a backfill', () => {
  test('is planned, runs with progress, survives kill -9 of its workers, and attests each image once', async () => {
    await using ground = await open();
    const digests = await pushMany(ground, 12);
    const plan = await backfill(ground, '--plan', '--repositories', 'team/**');
    assert.equal(plan.images, 12);
    assert.equal(plan.estimate.measured, 0);
    const counts = await ground.workers.queues.counts();
    assert.ok(
      counts.every(({ waiting, delayed }) => waiting + delayed === 0),
      'a plan enqueues nothing',
    );

    const first = await ground.workers.spawn();
    const { code, stderr } = await runCli(['backfill', '--config', ground.workers.file, '--run', '--detach']);
    assert.equal(code, 0, stderr);
    await until('some are done', async () => (await backfill(ground, 'status')).progress.done >= 2);
    first.signal('SIGKILL');
    await first.ended;
    assert.equal((await backfill(ground, 'status')).state, 'running');
    await ground.workers.spawn();
    const end = await runCli(['backfill', '--config', ground.workers.file, '--run']);
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stderr, /running: \d+ of 12/, 'progress');
    assert.match(end.stdout, /done: 12 of 12 \(100 %\)/);
    for (const [repository, digest] of digests) {
      const attached = await attachedDigests(ground.client, repository, digest);
      assert.equal(attached.length, 2, `${repository}: each statement once`);
    }
    const again = await backfill(ground, '--plan', '--repositories', 'team/**');
    assert.ok(again.estimate.measured > 0, 'what was attested is measured');
    assert.ok(again.estimate.requests > 12 && again.estimate.sentBytes > 12_000);
    await backfill(ground, '--run', '--detach');
    await until('it ends at once', async () => (await backfill(ground, 'status')).state === 'done');
    const { progress } = await backfill(ground, 'status');
    assert.deepEqual([progress.covered, progress.enqueued], [12, 0], 'known images are left out');
  });

  test('stands still while it is paused, and ends when it is canceled', async () => {
    await using ground = await open();
    await pushMany(ground, 6);
    await backfill(ground, '--plan');
    await backfill(ground, '--run', '--detach');
    assert.equal((await backfill(ground, 'pause')).state, 'paused');
    await ground.workers.start();
    assert.equal((await runCli(['backfill', '--config', ground.workers.file, 'pause'])).code, 64);
    assert.equal((await ground.workers.ledger.coverage()).images, 0);
    await backfill(ground, 'resume');
    await until('all are judged', async () => (await ground.workers.ledger.coverage()).images === 6);
    await until('it is done', async () => (await backfill(ground, 'status')).state === 'done');

    await backfill(ground, '--plan');
    assert.equal((await backfill(ground, 'cancel')).state, 'canceled');
    const refused = await runCli(['backfill', '--config', ground.workers.file, '--run']);
    assert.equal(refused.code, 64);
    assert.match(refused.stderr, /there is no plan to run/);
  });

  test('outside its hours nothing is enqueued', async () => {
    await using ground = await open();
    await pushMany(ground, 1);
    await backfill(ground, '--plan');
    const hour = new Date().getUTCHours();
    const closed = `${(hour + 2) % 24}-${(hour + 3) % 24 || 24}`;
    const { hours } = await backfill(ground, '--run', '--detach', '--hours', closed, '--timezone', 'UTC');
    assert.equal(hours.zone, 'UTC');
    await ground.workers.start();
    await backfill(ground, 'status');
    const { state, progress } = await backfill(ground, 'status');
    assert.deepEqual([state, progress.position], ['running', 0]);
    await backfill(ground, '--run', '--detach', '--hours', '0-24', '--timezone', 'UTC');
    await until('it is done', async () => (await backfill(ground, 'status')).state === 'done');
  });

  test('an image whose push waits is left to the push', async () => {
    await using ground = await open();
    const [[repository, digest] = []] = [...(await pushMany(ground, 1))];
    assert.ok(repository && digest);
    const job = imageJob('waiting', { image: { registry: REGISTRY, repository, tag: '1.0', digest } });
    await ground.workers.queues.enqueueImage('push', job, { delayMs: 5000 });
    await backfill(ground, '--plan');
    await backfill(ground, '--run', '--detach');
    await ground.workers.start();
    await until('it is done', async () => (await backfill(ground, 'status')).state === 'done');
    const { progress } = await backfill(ground, 'status');
    assert.deepEqual([progress.covered, progress.enqueued], [1, 0]);
    await untilIdle(ground.workers);
    assert.equal((await ground.workers.ledger.coverage()).images, 1);
  });

  test('Ctrl-C ends the view, not the work', async () => {
    await using ground = await open();
    await pushMany(ground, 3);
    await backfill(ground, '--plan');
    await using running = startCli(['backfill', '--config', ground.workers.file, '--run']);
    await running.says(/running: 0 of 3/);
    running.signal('SIGINT', 'launcher');
    const { code, stdout, stderr } = await running.ended;
    assert.deepEqual([code, stdout.includes('running: 0 of 3')], [0, true], stderr);
    assert.match(stderr, /it goes on without this command/);
    await ground.workers.start();
    await until('it is done', async () => (await backfill(ground, 'status')).state === 'done');
  });
});

describe('first contact', () => {
  test('a registry with more images than are attested without asking waits for a decision', async () => {
    const sweep = { every: '30d' };
    await using ground = await openFaultGround({}, ({ host }) => ({
      registries: [{ name: REGISTRY, address: host, sweep }],
      reconcile: { askAbove: 3 },
    }));
    await pushMany(ground, 5);
    const sweepNow = () => runCli(['sweep', '--config', ground.workers.file]);
    const first = await sweepNow();
    assert.match(first.stdout, /3 enqueued, 2 left/);
    assert.match(first.stderr, /attestry backfill --plan --registry/);
    const second = await sweepNow();
    assert.match(second.stdout, /0 enqueued, 2 left/, 'not a few more each time');
    await backfill(ground, '--plan');
    await backfill(ground, '--run', '--detach');
    const third = await sweepNow();
    assert.match(third.stdout, /2 enqueued/, 'decided');
    assert.doesNotMatch(third.stderr, /backfill --plan/);
  });

  test('a worker that sweeps tells of it, with the command', async () => {
    await using ground = await openFaultGround({}, ({ host }) => ({
      registries: [{ name: REGISTRY, address: host, sweep: { every: '30d' } }],
      reconcile: { askAbove: 1 },
    }));
    await pushMany(ground, 3);
    await ground.workers.start();
    const needed = () =>
      ground.receiver.received
        .map(({ body }) => JSON.parse(body))
        .filter(({ type }) => type === 'dev.attestry.backfill.needed.v1');
    await until('the event', async () => needed().length > 0);
    await untilIdle(ground.workers);
    const next = `attestry backfill --plan --registry ${REGISTRY}`;
    assert.deepEqual(
      needed().map(({ subject, data }) => [subject, data.images, data.limit, data.next]),
      [[`registries/${REGISTRY}`, 3, 1, next]],
    );
    assert.equal((await ground.workers.ledger.coverage()).images, 1);
  });

  test('a small one is attested without asking, and is known from then on', async () => {
    const sweep = { every: '30d' };
    await using ground = await openFaultGround({}, ({ host }) => ({
      registries: [{ name: REGISTRY, address: host, sweep }],
      reconcile: { askAbove: 2 },
    }));
    await pushMany(ground, 2);
    const sweepNow = () => runCli(['sweep', '--config', ground.workers.file]);
    assert.match((await sweepNow()).stdout, /2 enqueued, 0 vanished/);
    for (const name of ['a', 'b', 'c']) await push(ground.client, `new/${name}`, '1.0', await smallImage(name));
    assert.match((await sweepNow()).stdout, /3 enqueued, 0 vanished/);
  });
});
