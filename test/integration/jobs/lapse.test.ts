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

  test('of what is gone for good is signed anew where `when` holds for the push that it was signed for', async () => {
    const when = { source: ['ci'], actor: ['robot'], tag: ['1.*'] };
    const { attest, verify, run, destroyEvidence, enqueued, repository, digest } = await ground.watched('renewed', {
      when,
    });
    await attest({ source: 'ci', actor: 'robot' });
    // The second one was signed by a job that nobody pushed.
    for (const round of [1, 2]) {
      const before = await attachedDigests(ground.client, repository, digest);
      await destroyEvidence();
      await verify();
      const mended = doneOf(await run(enqueued.at(-1) as ImageJob));
      assert.deepEqual(
        mended.evidence.map(({ state }) => state),
        ['created'],
        `${round}`,
      );
      assert.deepEqual(outcomesOf(mended), ['pass']);
      assert.notDeepEqual(await attachedDigests(ground.client, repository, digest), before, 'another signature');
    }
  });

  test('of what is gone for good is not signed anew where the rule as it is now would not have it signed', async () => {
    const first = await ground.watched('not-renewed', { when: { source: ['ci'], actor: ['robot'] } });
    await first.attest({ source: 'ci', actor: 'robot' });
    for (const when of [{ source: ['other'] }, { actor: ['somebody'] }, { tag: ['v*'] }]) {
      const { verify, run, enqueued, relay } = await ground.watched('not-renewed', { when });
      if (when.source) await first.destroyEvidence();
      await verify();
      await relay();
      const report = doneOf(await run(enqueued.at(-1) as ImageJob));
      assert.deepEqual(
        report.evidence.map(({ state }) => state),
        ['refused'],
        JSON.stringify(when),
      );
    }
    const { run, enqueued, verify } = await ground.watched('not-renewed', { when: { actor: ['rob*'] } });
    await verify();
    const report = doneOf(await run(enqueued.at(-1) as ImageJob));
    assert.deepEqual(
      report.evidence.map(({ state }) => state),
      ['created'],
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
