import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { attachedDigests, readAttached } from '../../support/attachments.ts';
import { REGISTRY } from '../../support/installation.ts';
import { provenanceRule } from '../../support/job-ports.ts';
import { imageJob } from '../../support/jobs.ts';
import { redisJobs } from '../../support/redis-jobs.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { doneOf, type JobGround, openJobGround, outcomesOf, signer, typesOf } from '../../support/watched-image.ts';
import { watchTarget } from '../../support/watched-target.ts';

let ground: JobGround;

before(async () => {
  ground = await openJobGround();
});
after(() => ground.close());

describe('an attest job', () => {
  test('signs, verifies, records and tells; run again it changes nothing and is silent', async () => {
    const { attest, relay, target, repository, digest, ledger, image } = await ground.watched('first');
    const report = await attest();
    assert.deepEqual(outcomesOf(report), ['pass']);
    assert.deepEqual(
      report.evidence.map(({ state }) => state),
      ['created'],
    );
    assert.deepEqual(typesOf(await relay()), ['evidence.attached', 'verdict.first']);
    const attached = await attachedDigests(ground.client, repository, digest);
    const again = await attest();
    assert.deepEqual(
      again.evidence.map(({ state }) => state),
      ['present'],
    );
    assert.deepEqual(again.transitions, []);
    assert.equal(target.puts.length, 1);
    assert.deepEqual(await attachedDigests(ground.client, repository, digest), attached);
    assert.deepEqual(await relay(), []);
    assert.equal((await ledger.history(image, 10)).length, 1);
  });

  test('without a rule nothing is signed, and nothing is put down', async () => {
    const { run, job, target, ledger, image, relay } = await ground.watched('no-rule', {
      match: { repository: ['other/**'] },
    });
    const [report] = await run(job());
    assert.deepEqual(report, {
      outcome: 'no-rule',
      missed: [{ rule: 'all', why: 'repository jobs/no-rule is not other/**' }],
    });
    assert.deepEqual(target.puts, []);
    assert.deepEqual(await ledger.latest(image), []);
    assert.deepEqual(await relay(), []);
  });

  test('the first rule that matches holds, and no later one is fallen through to', async () => {
    const name = 'first-rule';
    const digest = await push(ground.client, `jobs/${name}`, 'dev', await smallImage(name));
    const target = watchTarget(ground.client);
    const rules = [
      provenanceRule('releases', signer.id, { match: { tag: ['v*'] } }),
      provenanceRule('gated', signer.id, { match: { repository: ['jobs/*'] }, when: { source: ['ci'] } }),
      provenanceRule('everything', signer.id),
    ];
    const { run } = redisJobs({ store: ground.store, prefix: name, target, rules, signers: [signer] });
    const image = { registry: REGISTRY, repository: `jobs/${name}`, tag: 'dev', digest };
    const refused = doneOf(await run(imageJob(name, { image, source: 'registry' })));
    assert.equal(refused.rule, 'gated');
    assert.deepEqual(refused.refused, { reason: 'source', why: 'source registry is not ci' });
    assert.deepEqual(target.puts, []);
    assert.equal(doneOf(await run(imageJob(name, { image, source: 'ci' }))).evidence[0]?.state, 'created');
  });

  for (const [what, when, met] of [
    ['source', { source: ['ci'] }, { source: 'ci' }],
    ['actor', { actor: ['robot-*'] }, { actor: 'robot-1' }],
    ['tag', { tag: ['v*'] }, undefined],
  ] as const) {
    test(`a push whose ${what} the rule does not allow is verified, not signed, and refused once`, async () => {
      const { attest, relay, target, ledger, image } = await ground.watched(`when-${what}`, { when });
      const report = await attest({ source: 'registry', actor: 'somebody' });
      assert.deepEqual(
        report.evidence.map(({ state }) => state),
        ['refused'],
      );
      assert.match(report.refused?.why ?? '', new RegExp(`^${what} `));
      assert.deepEqual(outcomesOf(report), ['fail']);
      assert.deepEqual(target.puts, []);
      assert.equal((await ledger.latest(image))[0]?.verdict?.outcome, 'fail');
      // The same job runs a second time before anything is told, as after a crash.
      await attest({ source: 'registry', actor: 'somebody' });
      const told = await relay();
      assert.deepEqual(typesOf(told).toSorted(), ['alert.firing', 'signing.refused', 'verdict.first'].toSorted());
      await attest({ source: 'registry', actor: 'somebody' });
      const [repeated, ...more] = await relay();
      assert.equal(more.length, 0);
      assert.equal(repeated?.id, told.find(({ type }) => type.includes('refused'))?.id, 'a sink takes it for the same');
      if (met) assert.equal((await attest(met)).evidence[0]?.state, 'created');
    });
  }

  test('a manifest that is no image is no failure', async () => {
    const { attest, run, repository, digest } = await ground.watched('echo');
    await attest();
    const { digest: echo } = await readAttached(ground.client, repository, digest);
    const image = { registry: REGISTRY, repository, digest: echo };
    const [report] = await run(imageJob('echo', { image }));
    assert.equal(report?.outcome, 'not-an-image');
  });

  test('a forced job makes our evidence anew', async () => {
    const { attest, repository, digest } = await ground.watched('forced');
    await attest();
    const before = await attachedDigests(ground.client, repository, digest);
    assert.equal((await attest({ force: true })).evidence[0]?.state, 'replaced');
    assert.notDeepEqual(await attachedDigests(ground.client, repository, digest), before);
  });
});
