import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import type { ImageJob } from '#model/job.ts';
import { enqueueDue } from '#reconcile/due.ts';
import { provenanceRule } from '../../support/job-ports.ts';
import { imageJob } from '../../support/jobs.ts';
import { redisJobs } from '../../support/redis-jobs.ts';
import {
  doneOf,
  EVERY_MS,
  type JobGround,
  openJobGround,
  outcomesOf,
  signer,
  typesOf,
} from '../../support/watched-image.ts';

let ground: JobGround;

before(async () => {
  ground = await openJobGround();
});
after(() => ground.close());

describe('re-verification', () => {
  test('by the ledger: what is due gets a job, and its verdict sets the next time', async () => {
    const { attest, run, ledger, image, digest, pass, ports } = await ground.watched('due');
    await attest();
    const jobs: ImageJob[] = [];
    const queues = {
      enqueueImage: async (_lane: string, job: ImageJob) => {
        jobs.push(job);
        return { id: '1', state: 'queued' as const };
      },
    };
    const look = () =>
      enqueueDue({ ledger, queues, now: ports.now(), limit: 10, traceparent: () => imageJob('x').traceparent });
    assert.deepEqual(await look(), { items: 0, jobs: 0 });
    pass(EVERY_MS);
    assert.deepEqual(await look(), { items: 1, jobs: 1 });
    assert.deepEqual(await look(), { items: 0, jobs: 0 }, 'enqueued once');
    assert.deepEqual([jobs[0]?.kind, jobs[0]?.image.digest, jobs[0]?.image.tag], ['verify', digest, '1.0']);
    const report = doneOf(await run(jobs[0] as ImageJob));
    assert.deepEqual([outcomesOf(report), report.transitions], [['pass'], []]);
    const [state] = await ledger.latest(image);
    assert.equal(state?.lastCheckedAt, ports.now().toISOString());
    pass(EVERY_MS - 1);
    assert.deepEqual(await look(), { items: 0, jobs: 0 });
    pass(1);
    assert.deepEqual(await look(), { items: 1, jobs: 1 });
  });

  test('an unchanged verdict is silent, good or bad', async () => {
    const { attest, verify, relay, loseEvidence } = await ground.watched('silent', { onLapse: 'alert' });
    await attest();
    await relay();
    assert.deepEqual((await verify()).transitions, []);
    assert.deepEqual(await relay(), []);
    await loseEvidence();
    assert.equal((await verify()).transitions.length, 1);
    await relay();
    assert.deepEqual((await verify()).transitions, []);
    assert.deepEqual(await relay(), []);
  });

  test('a failure to look never takes the place of what is known', async () => {
    const { attest, verify, relay, target, ledger, image, ports, pass } = await ground.watched('could-not');
    await attest();
    await relay();
    const away = () => Promise.reject(new AppError('registry-unavailable', 'the registry answered 503'));
    target.before('resolve', /^sha256:/, away);
    const report = await verify();
    assert.deepEqual(outcomesOf(report), ['error']);
    const [state] = await ledger.latest(image);
    assert.equal(state?.verdict?.outcome, 'pass');
    assert.equal(state?.couldNotCheck?.verdict.outcome, 'error');
    assert.deepEqual(typesOf(await relay()), ['verdict.could-not-check']);
    const due = async () => (await ledger.due(ports.now(), 10)).length;
    pass(ports.retryErrorMs - 1);
    assert.equal(await due(), 0);
    pass(1);
    assert.equal(await due(), 1, 'tried again sooner than the policy asks');
    target.before('manifest', /\.att$/, away);
    assert.deepEqual((await verify()).transitions, [], 'still the same trouble');
    assert.deepEqual(outcomesOf(await verify()), ['pass']);
    assert.deepEqual(typesOf(await relay()), ['verdict.checked-again']);
  });

  test('a registry that asks to be left alone delays the job and records nothing', async () => {
    const { attest, run, job, target, ledger, image, relay } = await ground.watched('throttled');
    await attest();
    await relay();
    const before = await ledger.latest(image);
    const told = new AppError('registry-throttled', 'the registry answered 429', { retryAfterMs: 7000 });
    target.before('manifest', /\.att$/, () => Promise.reject(told));
    await assert.rejects(run(job({ kind: 'verify' })), { code: 'registry-throttled', retryAfterMs: 7000 });
    assert.deepEqual(await ledger.latest(image), before);
    assert.deepEqual(await relay(), []);
  });

  test('a rule without policies is watched by its own trust', async () => {
    const { attest, verify, loseEvidence, ledger, image, run, enqueued } = await ground.watched('own-trust', {
      policies: [],
    });
    await attest();
    assert.deepEqual(
      (await ledger.latest(image)).map(({ policyUri, verdict }) => [policyUri, verdict?.outcome]),
      [['attestry:trust:all/slsaprovenance1', 'pass']],
    );
    await loseEvidence();
    assert.deepEqual(outcomesOf(await verify()), ['fail']);
    assert.deepEqual(outcomesOf(doneOf(await run(enqueued[0] as ImageJob))), ['pass']);
  });

  test('what no rule names any more is watched no more', async () => {
    const { attest, image, ledger, job, target } = await ground.watched('forgotten');
    await attest();
    const jobs = redisJobs({
      store: ground.store,
      prefix: 'forgotten',
      target,
      rules: [provenanceRule('all', signer.id)],
      signers: [signer],
    });
    jobs.pass(1000);
    await jobs.run(job({ kind: 'verify' }));
    const uris = async () => (await ledger.latest(image)).map(({ policyUri }) => policyUri);
    assert.deepEqual(await uris(), ['attestry:trust:all/slsaprovenance1']);
    const elsewhere = redisJobs({ store: ground.store, prefix: 'forgotten', target, rules: [], signers: [] });
    elsewhere.pass(2000);
    await elsewhere.run(job());
    assert.equal((await uris()).length, 1, 'a push under a name without a rule ends nothing');
    const [report] = await elsewhere.run(job({ kind: 'verify' }));
    assert.equal(report?.outcome, 'no-rule');
    assert.deepEqual(await uris(), []);
    assert.deepEqual((await ledger.due(new Date('2100-01-01'), 10)).length, 0);
  });

  test('an image that is gone is told, and forgotten after a day', async () => {
    const { attest, verify, pass, ledger, image, repository, digest, relay } = await ground.watched('gone');
    await attest();
    await relay();
    await ground.client.deleteManifest(repository, digest);
    assert.deepEqual(outcomesOf(await verify()), ['error']);
    assert.deepEqual(typesOf(await relay()), ['verdict.could-not-check']);
    pass(23 * 3_600_000);
    await verify();
    assert.equal((await ledger.latest(image))[0]?.verdict?.outcome, 'pass');
    pass(3_600_000);
    await verify();
    assert.deepEqual(await ledger.latest(image), []);
    assert.equal((await ledger.history(image, 10)).length, 2, 'its history stays');
  });
});
