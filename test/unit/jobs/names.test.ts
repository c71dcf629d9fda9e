import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runImageJob } from '#jobs/image-job.ts';
import type { ScheduledPolicy } from '#jobs/installation.ts';
import type { Digest } from '#model/digest.ts';
import type { ImageJob } from '#model/job.ts';
import { DEFAULT_PREDICATE_TYPES } from '#model/rule.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import type { Target } from '#oci/target.ts';
import { compilePolicies } from '#policy/load.ts';
import { attestationTagOf } from '../../support/attachments.ts';
import { chainSet, clusterPolicy } from '../../support/cluster-policy.ts';
import { enginePorts, REGISTRY, signerOf } from '../../support/installation.ts';
import { provenanceRule, testJobs } from '../../support/job-ports.ts';
import { imageJob } from '../../support/jobs.ts';
import { makePki } from '../../support/pki.ts';
import { push, smallImage } from '../../support/small-images.ts';

const pki = makePki();
const signer = signerOf(pki);
const { slsaprovenance1: type } = DEFAULT_PREDICATE_TYPES;
const attestations = [{ type, attestors: [chainSet([pki.chainPem])] }];
/** A policy that speaks of releases alone. */
const policies = compilePolicies(
  clusterPolicy([], { element: { imageReferences: [`${REGISTRY}/team/app:v*`], attestations } }),
  { source: 'releases.yaml' },
).map((policy): ScheduledPolicy => ({ policy, everyMs: 3_600_000 }));

async function watched(more: Parameters<typeof provenanceRule>[2] = {}) {
  const target: Target = createMemoryTarget();
  const rule = provenanceRule('all', signer.id, { policies: ['releases'], ...more });
  const jobs = testJobs(enginePorts(target), [rule], [signer], { policies: new Map([['releases', policies]]) });
  const digest = await push(target, 'team/app', 'v1', await smallImage('names'));
  const run = (job: Partial<ImageJob>, image: { tag?: string; digest?: Digest } = {}) => {
    const whole = imageJob('names', { image: { registry: REGISTRY, repository: 'team/app', ...image }, ...job });
    return runImageJob('push', whole, [], jobs.ports, { signal: new AbortController().signal });
  };
  const state = async () => (await jobs.ledger.latest(`${REGISTRY}/team/app@${digest}`))[0]?.verdict?.outcome;
  const alerts = async () => (await jobs.ledger.openAlerts(10)).length;
  return { ...jobs, target, digest, run, state, alerts };
}

test('a further tag that the policy does not speak of closes no alert', async () => {
  const { run, digest, state, alerts } = await watched({ when: { source: ['nobody'] } });
  await run({}, { tag: 'v1', digest });
  assert.deepEqual([await state(), await alerts()], ['fail', 1]);
  await run({}, { tag: 'dev', digest });
  assert.deepEqual([await state(), await alerts()], ['fail', 1]);
});

test('a lapse is found and mended under the name that the policy speaks of, whatever was pushed last', async () => {
  const { run, digest, state, target, told } = await watched();
  await run({}, { tag: 'v1', digest });
  assert.equal(await state(), 'pass');
  const evidence = await target.resolve('team/app', attestationTagOf(digest));
  await target.deleteManifest('team/app', evidence.digest);
  await told();
  await run({}, { tag: 'dev', digest });
  assert.equal(await state(), 'pass');
  assert.deepEqual(
    (await told()).filter((each) => each.startsWith('changed')),
    ['changed fail', 'changed pass'],
  );
});

test('a name that the policy speaks of takes the place of one that it does not', async () => {
  const { run, digest, state } = await watched();
  await run({}, { tag: 'dev', digest });
  assert.equal(await state(), 'skip');
  await run({}, { tag: 'v1', digest });
  assert.equal(await state(), 'pass');
  await run({ kind: 'verify', cause: 'schedule', source: 'scheduler' }, { tag: 'dev', digest });
  assert.equal(await state(), 'pass');
});

test('re-verification by tag judges what the tag names', async () => {
  const { run, digest, state, enqueued } = await watched();
  const [report] = await run({ kind: 'verify', cause: 'demand', source: 'api' }, { tag: 'v1' });
  assert.equal(report?.outcome, 'done');
  assert.equal(await state(), 'fail');
  assert.deepEqual(
    enqueued.map(({ image, receivedAt }) => [image.tag, image.digest, receivedAt]),
    [['v1', digest, imageJob('x').receivedAt]],
  );
});

test('an alert of what is watched no more ends with a word', async () => {
  const { run, digest, state, alerts, told, ports, ledger } = await watched({ when: { source: ['nobody'] } });
  await run({}, { tag: 'v1', digest });
  assert.deepEqual([await state(), await alerts()], ['fail', 1]);
  await told();
  const without = { ...ports, installation: { ...ports.installation, rules: [] } };
  const image = { registry: REGISTRY, repository: 'team/app', tag: 'v1', digest };
  const job = imageJob('names', { kind: 'verify', cause: 'schedule', image });
  const [report] = await runImageJob('cause', job, [], without, { signal: new AbortController().signal });
  assert.equal(report?.outcome, 'no-rule');
  assert.deepEqual(await told(), ['dev.attestry.alert.resolved.v1']);
  assert.deepEqual(await ledger.latest(`${REGISTRY}/team/app@${digest}`), []);
});
