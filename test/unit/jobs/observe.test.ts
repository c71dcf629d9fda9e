import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runImageJob } from '#jobs/image-job.ts';
import { AppError } from '#model/errors.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import type { Target } from '#oci/target.ts';
import { compilePolicies } from '#policy/load.ts';
import { enginePorts, NOW, REGISTRY, signerOf } from '../../support/installation.ts';
import { provenanceRule, testJobs } from '../../support/job-ports.ts';
import { imageJob } from '../../support/jobs.ts';
import { makePki } from '../../support/pki.ts';
import { push, smallImage } from '../../support/small-images.ts';

const signer = signerOf(makePki());
const context = { signal: new AbortController().signal };
const HOUR_MS = 3_600_000;

async function pushedTo(target: Target) {
  const digest = await push(target, 'team/app', '1', await smallImage('observed'));
  return imageJob('observed', { image: { registry: REGISTRY, repository: 'team/app', tag: '1', digest } });
}

test('a rule that wants one type by two signers keeps two states, and none of them flaps', async () => {
  const target = createMemoryTarget();
  const job = await pushedTo(target);
  const other = signerOf(makePki({ root: { subject: 'Another Root' } }), 'other');
  const rule = provenanceRule('two', signer.id);
  const [first] = rule.evidence;
  assert.ok(first);
  const both = { ...rule, evidence: [first, { ...first, signer: 'other' }] };
  const jobs = testJobs(enginePorts(target), [both], [signer, other]);
  await runImageJob('push', job, [], jobs.ports, context);
  const uris = (await jobs.ledger.latest(`${REGISTRY}/team/app@${job.image.digest}`)).map(({ policyUri }) => policyUri);
  assert.deepEqual(uris, ['attestry:trust:two/slsaprovenance1', 'attestry:trust:two/slsaprovenance1/2']);
  await jobs.told();
  await runImageJob('push', { ...job, kind: 'verify' }, [], jobs.ports, context);
  assert.deepEqual(await jobs.told(), []);
});

test('what could not be reached is tried again soon, a policy that cannot be judged is not', async () => {
  const target = createMemoryTarget();
  const job = await pushedTo(target);
  const [unjudged] = compilePolicies('kind: Unheard', { source: 'unheard.yaml' });
  assert.ok(unjudged);
  const policies = new Map([['unheard', [{ policy: unjudged, everyMs: 24 * HOUR_MS }]]]);
  const rules = [provenanceRule('unheard', signer.id, { policies: ['unheard'] })];
  const jobs = testJobs(enginePorts(target), rules, [signer], { policies });
  await runImageJob('push', job, [], jobs.ports, context);
  assert.deepEqual(await jobs.ledger.due(new Date(NOW.getTime() + 23 * HOUR_MS), 10), []);
  const away: Target = {
    ...target,
    manifest: (repository, reference) => {
      if (reference.endsWith('.att')) throw new AppError('network', 'the registry is away');
      return target.manifest(repository, reference);
    },
  };
  const reached = testJobs(enginePorts(away), [provenanceRule('own', signer.id)], [signer]);
  await runImageJob('push', { ...job, kind: 'verify' }, [], reached.ports, context);
  assert.equal((await reached.ledger.due(new Date(NOW.getTime() + 300_000), 10)).length, 1);
});

test('a certificate that ended while the worker ran signs nothing more', async () => {
  const target = createMemoryTarget();
  const job = await pushedTo(target);
  const later = new Date('2100-01-01T00:00:00Z');
  const jobs = testJobs(enginePorts(target, { now: () => later }), [provenanceRule('own', signer.id)], [signer]);
  await assert.rejects(runImageJob('push', job, [], jobs.ports, context), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'certificate-refused');
    assert.match(error.message, /^signer signer: the certificate "CN=.*" ended on \d{4}-/);
    return true;
  });
});
