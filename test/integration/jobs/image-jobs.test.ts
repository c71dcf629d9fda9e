import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DoneReport, JobReport } from '#jobs/job-report.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { CloudEvent } from '#model/event.ts';
import type { ImageJob } from '#model/job.ts';
import type { Rule } from '#model/rule.ts';
import type { Target } from '#oci/target.ts';
import { compilePolicies } from '#policy/load.ts';
import { enqueueDue } from '#reconcile/due.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import { attachedDigests, readAttached } from '../../support/attachments.ts';
import { chainSet, clusterPolicy } from '../../support/cluster-policy.ts';
import { REGISTRY, signerOf } from '../../support/installation.ts';
import { provenanceRule } from '../../support/job-ports.ts';
import { imageJob } from '../../support/jobs.ts';
import { makePki } from '../../support/pki.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { type RedisJobs, redisJobs } from '../../support/redis-jobs.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { type WatchedTarget, watchTarget } from '../../support/watched-target.ts';

const EVERY_MS = 3_600_000;
const pki = makePki();
const signer = signerOf(pki);
const [policy] = compilePolicies(clusterPolicy([chainSet([pki.chainPem])]), { source: 'signed.yaml' });
assert.ok(policy);
const policies = new Map([['signed', [{ policy, everyMs: EVERY_MS }]]]);

let redis: TestRedis;
let registry: TestRegistry;
let store: RedisConnection;
let client: Target & AsyncDisposable;

before(async () => {
  [redis, registry] = await Promise.all([startRedis(), startRegistry()]);
  store = await connectRedis({ url: redis.url, role: 'store', name: 'test' });
  client = connect(registry.url);
});
after(async () => {
  await store.close();
  await client[Symbol.asyncDispose]();
  await Promise.all([redis.stop(), registry.stop()]);
});

interface Watched extends RedisJobs {
  readonly repository: string;
  readonly digest: Digest;
  readonly target: WatchedTarget;
  /** The ledger's name of the image. */
  readonly image: string;
  job(more?: Partial<ImageJob>): ImageJob;
  verify(): Promise<DoneReport>;
  attest(more?: Partial<ImageJob>): Promise<DoneReport>;
  loseEvidence(): Promise<void>;
}

/** A pushed image in a repository and under a prefix of its own, and the jobs of a worker with one rule. */
async function watched(name: string, rule: Partial<Rule> = {}): Promise<Watched> {
  const repository = `jobs/${name}`;
  const digest = await push(client, repository, '1.0', await smallImage(name));
  const target = watchTarget(client);
  const rules = [provenanceRule('all', signer.id, { policies: ['signed'], ...rule })];
  const jobs = redisJobs({ store, prefix: name, target, rules, signers: [signer], policies });
  const job = (more: Partial<ImageJob> = {}) =>
    imageJob(name, { image: { registry: REGISTRY, repository, tag: '1.0', digest }, ...more });
  return {
    ...jobs,
    repository,
    digest,
    target,
    image: `${REGISTRY}/${repository}@${digest}`,
    job,
    attest: async (more) => doneOf(await jobs.run(job(more))),
    verify: async () => doneOf(await jobs.run(job({ kind: 'verify', cause: 'schedule', source: 'scheduler' }))),
    async loseEvidence() {
      await client.deleteManifest(repository, (await readAttached(client, repository, digest)).digest);
    },
  };
}

function doneOf([report, ...others]: readonly JobReport[]): DoneReport {
  assert.equal(others.length, 0);
  assert.ok(report?.outcome === 'done', `outcome ${report?.outcome}`);
  return report;
}

function typesOf(events: readonly CloudEvent[]): readonly string[] {
  return events.map(({ type }) => type.replace(/^dev\.attestry\.|\.v1$/g, ''));
}

function outcomesOf({ verdicts }: DoneReport): readonly string[] {
  return verdicts.map(({ outcome }) => outcome);
}

describe('an attest job', () => {
  test('signs, verifies, records and tells; run again it changes nothing and is silent', async () => {
    const { attest, relay, target, repository, digest, ledger, image } = await watched('first');
    const report = await attest();
    assert.deepEqual(outcomesOf(report), ['pass']);
    assert.deepEqual(
      report.evidence.map(({ state }) => state),
      ['created'],
    );
    assert.deepEqual(typesOf(await relay()), ['evidence.attached', 'verdict.first']);
    const attached = await attachedDigests(client, repository, digest);
    const again = await attest();
    assert.deepEqual(
      again.evidence.map(({ state }) => state),
      ['present'],
    );
    assert.deepEqual(again.transitions, []);
    assert.equal(target.puts.length, 1);
    assert.deepEqual(await attachedDigests(client, repository, digest), attached);
    assert.deepEqual(await relay(), []);
    assert.equal((await ledger.history(image, 10)).length, 1);
  });

  test('without a rule nothing is signed, and nothing is put down', async () => {
    const { run, job, target, ledger, image, relay } = await watched('no-rule', {
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
    const digest = await push(client, `jobs/${name}`, 'dev', await smallImage(name));
    const target = watchTarget(client);
    const rules = [
      provenanceRule('releases', signer.id, { match: { tag: ['v*'] } }),
      provenanceRule('gated', signer.id, { match: { repository: ['jobs/*'] }, when: { source: ['ci'] } }),
      provenanceRule('everything', signer.id),
    ];
    const { run } = redisJobs({ store, prefix: name, target, rules, signers: [signer] });
    const image = { registry: REGISTRY, repository: `jobs/${name}`, tag: 'dev', digest };
    const refused = doneOf(await run(imageJob(name, { image, source: 'registry' })));
    assert.equal(refused.rule, 'gated');
    assert.equal(refused.refused, 'source registry is not ci');
    assert.deepEqual(target.puts, []);
    assert.equal(doneOf(await run(imageJob(name, { image, source: 'ci' }))).evidence[0]?.state, 'created');
  });

  for (const [what, when, met] of [
    ['source', { source: ['ci'] }, { source: 'ci' }],
    ['actor', { actor: ['robot-*'] }, { actor: 'robot-1' }],
    ['tag', { tag: ['v*'] }, undefined],
  ] as const) {
    test(`a push whose ${what} the rule does not allow is verified, not signed, and refused once`, async () => {
      const { attest, relay, target, ledger, image } = await watched(`when-${what}`, { when });
      const report = await attest({ source: 'registry', actor: 'somebody' });
      assert.deepEqual(
        report.evidence.map(({ state }) => state),
        ['refused'],
      );
      assert.match(report.refused ?? '', new RegExp(`^${what} `));
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
    const { attest, run, repository, digest } = await watched('echo');
    await attest();
    const { digest: echo } = await readAttached(client, repository, digest);
    const image = { registry: REGISTRY, repository, digest: echo };
    const [report] = await run(imageJob('echo', { image }));
    assert.equal(report?.outcome, 'not-an-image');
  });

  test('a forced job makes our evidence anew', async () => {
    const { attest, repository, digest } = await watched('forced');
    await attest();
    const before = await attachedDigests(client, repository, digest);
    assert.equal((await attest({ force: true })).evidence[0]?.state, 'replaced');
    assert.notDeepEqual(await attachedDigests(client, repository, digest), before);
  });
});

describe('a lapse', () => {
  test('is recorded and told before a job to restore it is enqueued, and the restoring job mends it', async () => {
    const { attest, verify, run, relay, loseEvidence, enqueued, ports, ledger, image, repository, digest } =
      await watched('lapse', { when: { source: ['ci'] } });
    await attest({ source: 'ci' });
    const [before] = await attachedDigests(client, repository, digest);
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
    assert.deepEqual(await attachedDigests(client, repository, digest), [before], 'the same signature');
  });

  test('is left where the rule only alerts', async () => {
    const { attest, verify, loseEvidence, enqueued, repository, digest } = await watched('alert-only', {
      onLapse: 'alert',
    });
    await attest();
    await loseEvidence();
    assert.deepEqual(outcomesOf(await verify()), ['fail']);
    assert.deepEqual(enqueued, []);
    await assert.rejects(attachedDigests(client, repository, digest), { code: 'not-found' });
  });

  test('that a push meets is told before the push mends it', async () => {
    const { attest, relay, loseEvidence, target, ledger, image } = await watched('pushed-again');
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
    const { attest, verify, run, relay, enqueued, target } = await watched('never-signed', {
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

describe('re-verification', () => {
  test('by the ledger: what is due gets a job, and its verdict sets the next time', async () => {
    const { attest, run, ledger, image, digest, pass, ports } = await watched('due');
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
    const { attest, verify, relay, loseEvidence } = await watched('silent', { onLapse: 'alert' });
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
    const { attest, verify, relay, target, ledger, image, ports, pass } = await watched('could-not');
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
    const { attest, run, job, target, ledger, image, relay } = await watched('throttled');
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
    const { attest, verify, loseEvidence, ledger, image, run, enqueued } = await watched('own-trust', { policies: [] });
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
    const { attest, image, ledger, job, target } = await watched('forgotten');
    await attest();
    const jobs = redisJobs({
      store,
      prefix: 'forgotten',
      target,
      rules: [provenanceRule('all', signer.id)],
      signers: [signer],
    });
    jobs.pass(1000);
    await jobs.run(job({ kind: 'verify' }));
    const uris = async () => (await ledger.latest(image)).map(({ policyUri }) => policyUri);
    assert.deepEqual(await uris(), ['attestry:trust:all/slsaprovenance1']);
    const elsewhere = redisJobs({ store, prefix: 'forgotten', target, rules: [], signers: [] });
    elsewhere.pass(2000);
    await elsewhere.run(job());
    assert.equal((await uris()).length, 1, 'a push under a name without a rule ends nothing');
    const [report] = await elsewhere.run(job({ kind: 'verify' }));
    assert.equal(report?.outcome, 'no-rule');
    assert.deepEqual(await uris(), []);
    assert.deepEqual((await ledger.due(new Date('2100-01-01'), 10)).length, 0);
  });

  test('an image that is gone is told, and forgotten after a day', async () => {
    const { attest, verify, pass, ledger, image, repository, digest, relay } = await watched('gone');
    await attest();
    await relay();
    await client.deleteManifest(repository, digest);
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
