import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ScheduledPolicy } from '#jobs/installation.ts';
import { SLSA_VSA_V1 } from '#model/media-types.ts';
import type { EvidenceRule, Rule } from '#model/rule.ts';
import type { Outcome } from '#model/verdict.ts';
import { compilePolicies } from '#policy/load.ts';
import type { CompiledPolicy } from '#policy/policy.ts';
import { readAttached, readStatementOf } from '../../support/attachments.ts';
import { chainSet, clusterPolicy } from '../../support/cluster-policy.ts';
import { REGISTRY } from '../../support/installation.ts';
import { provenanceRule } from '../../support/job-ports.ts';
import { imageJob } from '../../support/jobs.ts';
import { makePki } from '../../support/pki.ts';
import { redisJobs } from '../../support/redis-jobs.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { doneOf, EVERY_MS, type JobGround, openJobGround, signer } from '../../support/watched-image.ts';

let ground: JobGround;

before(async () => {
  ground = await openJobGround();
});
after(() => ground.close());

const [compiled] = compilePolicies(clusterPolicy([chainSet([makePki().chainPem])]), { source: 'compiled.yaml' });

/** A policy that says what the test wants, in the words of a real one. */
function policySaying(name: string, outcome: () => Outcome): ScheduledPolicy {
  assert.ok(compiled);
  const identity = { ...compiled.identity, name, uri: `file:${name}` };
  const policy: CompiledPolicy = {
    ...compiled,
    identity,
    evaluate: (input) => ({ ...compiled.evaluate(input), policy: identity, outcome: outcome(), reasons: [] }),
  };
  return { policy, everyMs: EVERY_MS };
}

const VSA: EvidenceRule = {
  type: 'vsa',
  predicateType: SLSA_VSA_V1,
  layout: 'cosign-tag',
  signer: signer.id,
  platforms: false,
};

interface Summary {
  readonly verificationResult: string;
  readonly verifiedLevels: readonly string[];
  readonly timeVerified: string;
  readonly resourceUri: string;
  readonly policy: { readonly uri: string };
  readonly inputAttestations?: readonly { readonly uri: string; readonly digest: { readonly sha256: string } }[];
}

/** A pushed image whose rule wants an SBOM or nothing, and a summary of what its policies say. */
async function summarised(name: string, rule: Partial<Rule> = {}, policies: readonly ScheduledPolicy[] = []) {
  const repository = `summaries/${name}`;
  const digest = await push(ground.client, repository, '1.0', await smallImage(name));
  const made = provenanceRule('all', signer.id).evidence;
  const rules = [provenanceRule('all', signer.id, { evidence: [...made, VSA], ...rule })];
  const known = new Map(policies.map((each) => [each.policy.identity.name, [each]]));
  const jobs = redisJobs({
    store: ground.store,
    prefix: name,
    target: ground.client,
    rules,
    signers: [signer],
    policies: known,
  });
  const image = { registry: REGISTRY, repository, tag: '1.0', digest };
  return {
    ...jobs,
    repository,
    digest,
    attest: async (more = {}) => doneOf(await jobs.run(imageJob(name, { image, ...more }))),
    verify: () => jobs.run(imageJob(name, { image, kind: 'verify', cause: 'schedule', source: 'scheduler' })),
    async summaries(): Promise<readonly Summary[]> {
      const { layers } = await readAttached(ground.client, repository, digest);
      const all = await Promise.all(layers.map((layer) => readStatementOf(ground.client, repository, layer)));
      return all.flatMap(({ statement }) =>
        statement.predicateType === SLSA_VSA_V1 ? [statement.predicate as unknown as Summary] : [],
      );
    },
  };
}

describe('a rule that wants verification summaries', () => {
  test('signs what its policy says, once as long as it says the same', async () => {
    const { attest, verify, summaries, pass, repository, digest } = await summarised('pass');
    const report = await attest();
    assert.deepEqual(
      report.evidence.map(({ type, state }) => [type, state]),
      [
        ['slsaprovenance1', 'created'],
        ['vsa', 'created'],
      ],
    );
    const [summary, ...more] = await summaries();
    assert.equal(more.length, 0);
    assert.equal(summary?.verificationResult, 'PASSED');
    assert.deepEqual(summary?.verifiedLevels, ['SLSA_BUILD_LEVEL_UNEVALUATED']);
    assert.equal(summary?.resourceUri, `oci://${REGISTRY}/${repository}@${digest}`);
    assert.equal(summary?.policy.uri, 'attestry:trust:all/slsaprovenance1');
    const [provenance] = (await readAttached(ground.client, repository, digest)).layers;
    assert.deepEqual(
      summary?.inputAttestations?.map((input) => `sha256:${input.digest.sha256}`),
      [provenance?.digest],
    );
    pass(EVERY_MS);
    await verify();
    assert.deepEqual(
      (await attest()).evidence.map(({ state }) => state),
      ['present', 'present'],
    );
    assert.deepEqual(await summaries(), [summary]);
  });

  test('follows the verdict, also when a scheduled check finds it, and keeps one for each policy', async () => {
    let outcome: Outcome = 'fail';
    const policies = [policySaying('one', () => outcome), policySaying('other', () => 'warn')];
    const rule = { policies: ['one', 'other'], onLapse: 'alert' } as const;
    const { attest, verify, summaries, pass } = await summarised('follows', rule, policies);
    await attest();
    const results = async () =>
      Object.fromEntries((await summaries()).map(({ policy, verificationResult: result }) => [policy.uri, result]));
    assert.deepEqual(await results(), { 'file:one': 'FAILED', 'file:other': 'FAILED' });
    assert.equal((await summaries()).length, 2);
    outcome = 'pass';
    pass(EVERY_MS);
    await verify();
    assert.deepEqual(await results(), { 'file:one': 'PASSED', 'file:other': 'FAILED' });
    assert.equal((await summaries()).length, 2);
    outcome = 'fail';
    pass(EVERY_MS);
    await verify();
    assert.deepEqual(await results(), { 'file:one': 'FAILED', 'file:other': 'FAILED' });
    assert.equal((await summaries()).length, 2);
  });

  test('that says PASSED is signed for the push that the first one was for, as `when` is now', async () => {
    for (const [name, when, wanted] of [
      ['kept-when', { actor: ['ci'] }, 'PASSED'],
      ['changed-when', { actor: ['somebody'] }, 'FAILED'],
    ] as const) {
      let outcome: Outcome = 'fail';
      const policies = [policySaying('one', () => outcome)];
      const rule = { policies: ['one'], onLapse: 'alert' } as const;
      const first = await summarised(name, { ...rule, when: { actor: ['ci'] } }, policies);
      await first.attest({ actor: 'ci' });
      const later = await summarised(name, { ...rule, when }, policies);
      outcome = 'pass';
      later.pass(EVERY_MS);
      await later.verify();
      const said = async () => (await later.summaries()).map(({ verificationResult: result }) => result);
      assert.deepEqual(await said(), [wanted], name);
      outcome = 'fail';
      later.pass(2 * EVERY_MS);
      await later.verify();
      assert.deepEqual(await said(), ['FAILED'], name);
    }
  });

  test('signs no first one for a push that may not be signed', async () => {
    const { attest, verify, repository, digest } = await summarised('refused', { when: { actor: ['ci'] } });
    const report = await attest();
    assert.equal(report.refused?.reason, 'actor');
    await verify();
    await assert.rejects(readAttached(ground.client, repository, digest), { code: 'not-found' });
  });

  test('makes none of what could not be checked', async () => {
    const rule = { policies: ['one'], evidence: [VSA] };
    const broken = policySaying('one', () => 'error');
    const { attest, repository, digest } = await summarised('error', rule, [broken]);
    assert.deepEqual((await attest()).evidence, []);
    await assert.rejects(readAttached(ground.client, repository, digest), { code: 'not-found' });
  });
});
