import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ImageJob } from '#model/job.ts';
import { attachedDigests } from '../../support/attachments.ts';
import { doneOf, type JobGround, openJobGround, outcomesOf, typesOf } from '../../support/watched-image.ts';

let ground: JobGround;

before(async () => {
  ground = await openJobGround();
});
after(() => ground.close());

describe('a lapse', () => {
  test('is recorded and told before a job to restore it is enqueued, and the restoring job mends it', async () => {
    const { attest, verify, run, relay, loseEvidence, enqueued, ports, ledger, image, repository, digest } =
      await ground.watched('lapse', { when: { source: ['ci'] } });
    await attest({ source: 'ci' });
    const [before] = await attachedDigests(ground.client, repository, digest);
    await relay();
    await loseEvidence();
    const enqueue = ports.enqueue;
    const atEnqueue: string[] = [];
    Object.assign(ports, {
      async enqueue(job: ImageJob) {
        const [state] = await ledger.latest(image);
        atEnqueue.push(`${state?.verdict?.outcome}`, ...typesOf(await relay()));
        await enqueue(job);
      },
    });
    const report = await verify();
    assert.deepEqual(outcomesOf(report), ['fail']);
    assert.deepEqual(atEnqueue, ['fail', 'verdict.changed', 'alert.firing']);
    const [restore] = enqueued;
    assert.ok(restore);
    assert.deepEqual(
      [restore.kind, restore.cause, restore.source, restore.actor],
      ['attest', 'lapse', 'scheduler', undefined],
    );
    const mended = doneOf(await run(restore));
    assert.deepEqual(
      mended.evidence.map(({ state }) => state),
      ['restored'],
    );
    assert.deepEqual(outcomesOf(mended), ['pass']);
    assert.deepEqual(typesOf(await relay()), [
      'evidence.lost',
      'evidence.restored',
      'verdict.changed',
      'alert.resolved',
    ]);
    assert.deepEqual(await attachedDigests(ground.client, repository, digest), [before], 'the same signature');
  });

  test('is left where the rule only alerts', async () => {
    const { attest, verify, loseEvidence, enqueued, repository, digest } = await ground.watched('alert-only', {
      onLapse: 'alert',
    });
    await attest();
    await loseEvidence();
    assert.deepEqual(outcomesOf(await verify()), ['fail']);
    assert.deepEqual(enqueued, []);
    await assert.rejects(attachedDigests(ground.client, repository, digest), { code: 'not-found' });
  });

  test('that a push meets is told before the push mends it', async () => {
    const { attest, relay, loseEvidence, target, ledger, image } = await ground.watched('pushed-again');
    await attest();
    await relay();
    await loseEvidence();
    const atPut: string[] = [];
    target.before('pushManifest', /\.att$/, async () => {
      atPut.push(...(await ledger.history(image, 1)).map(({ verdict }) => verdict.outcome), ...typesOf(await relay()));
    });
    const report = await attest();
    assert.deepEqual(atPut, ['fail', 'verdict.changed', 'alert.firing']);
    assert.deepEqual(
      report.transitions.map(({ change, verdict }) => `${change} ${verdict.outcome}`),
      ['changed fail', 'changed pass'],
    );
  });

  test('of an image that was never signed is not signed by the restoring job, which says nothing more', async () => {
    const { attest, verify, run, relay, enqueued, target } = await ground.watched('never-signed', {
      when: { source: ['ci'] },
    });
    await attest({ source: 'registry' });
    await relay();
    await verify();
    assert.equal(enqueued.length, 1);
    const report = doneOf(await run(enqueued[0] as ImageJob));
    assert.deepEqual(
      report.evidence.map(({ state }) => state),
      ['refused'],
    );
    assert.deepEqual(target.puts, []);
    assert.deepEqual(await relay(), [], 'an unchanged verdict is silent');
  });
});
