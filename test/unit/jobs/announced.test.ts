import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runImageJob } from '#jobs/image-job.ts';
import type { JobReport } from '#jobs/job-report.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { Announcement, ImageJob } from '#model/job.ts';
import type { Rule } from '#model/rule.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import { enginePorts, NOW, REGISTRY, signerOf } from '../../support/installation.ts';
import { provenanceRule, testJobs } from '../../support/job-ports.ts';
import { imageJob } from '../../support/jobs.ts';
import { makePki } from '../../support/pki.ts';
import { push, smallImage } from '../../support/small-images.ts';

const signer = signerOf(makePki());
const byCi = provenanceRule('by-ci', signer.id, { when: { actor: ['ci'] } });
const releases = provenanceRule('releases', signer.id, { match: { tag: ['v*'] } });

/** An image that was pushed under these tags, and jobs on a registry in memory. */
async function pushed(tags: readonly string[], rules: readonly Rule[], now = NOW) {
  const target = createMemoryTarget();
  let digest: Digest | undefined;
  for (const tag of tags) digest = await push(target, 'team/app', tag, await smallImage('announced'));
  assert.ok(digest);
  const jobs = testJobs(enginePorts(target, { now: () => now }), rules, [signer]);
  const job = (tag: string | undefined, more: Partial<ImageJob> = {}): ImageJob =>
    imageJob('announced', {
      image: { registry: REGISTRY, repository: 'team/app', tag, digest },
      receivedAt: NOW.toISOString(),
      ...more,
    });
  const run = (first: ImageJob, ...announced: readonly Announcement[]) =>
    runImageJob('push', first, announced, jobs.ports, { signal: new AbortController().signal });
  return { ...jobs, target, digest, job, run };
}

function gist(reports: readonly JobReport[]): readonly string[] {
  return reports.map((report) =>
    report.outcome === 'done'
      ? `${report.rule}: ${report.evidence.map(({ state }) => state).join(' ')}`
      : report.outcome,
  );
}

describe('several pushes of one digest are one job', () => {
  test('the allowed one is signed, whether it came before or behind one that is not', async () => {
    const { job, run } = await pushed(['latest'], [byCi]);
    assert.deepEqual(gist(await run(job('latest', { actor: 'eve' }))), ['by-ci: refused']);
    const reports = await run(job('latest', { actor: 'eve' }), { source: 'ci', tag: 'latest', actor: 'ci' });
    assert.deepEqual(gist(reports), ['by-ci: created']);
  });

  test('a tag that no rule names does not cost the tag that one names its evidence', async () => {
    const { job, run } = await pushed(['latest', 'v1'], [releases]);
    assert.deepEqual(gist(await run(job('latest'))), ['no-rule']);
    assert.deepEqual(gist(await run(job('latest'), { source: 'ci', tag: 'v1' })), ['releases: created']);
  });

  test('tags of several rules get what each of them names', async () => {
    const { job, run } = await pushed(['latest', 'v1'], [releases, byCi]);
    const reports = await run(
      job('latest', { actor: 'ci' }),
      { source: 'ci', tag: 'v1' },
      { source: 'ci', tag: 'v1.0' },
    );
    assert.deepEqual(gist(reports), ['by-ci: created', 'releases: present']);
  });
});

describe('tag and digest that are only a sender’s word', () => {
  const later = new Date(NOW.getTime() + 61_000);

  test('a digest under a tag that does not name it is not signed as if it did', async () => {
    const { job, run, target } = await pushed(['pr-1'], [releases]);
    await push(target, 'team/app', 'v1', await smallImage('released'));
    const claim = job('v1', { unproven: true });
    await assert.rejects(run(claim), (error) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, 'not-found');
      assert.match(error.message, /team\/app:v1 names sha256:\w+, not sha256:\w+ as ci said/);
      return true;
    });
  });

  test('once the tag had its time to settle the image counts as untagged', async () => {
    const { job, run } = await pushed(['pr-1'], [releases, byCi], later);
    assert.deepEqual(gist(await run(job('v1', { unproven: true, actor: 'ci' }))), ['by-ci: created']);
    const only = await pushed(['pr-1'], [releases], later);
    assert.deepEqual(gist(await only.run(only.job('v1', { unproven: true }))), ['no-rule']);
  });

  test('what the registry confirms, and what it said itself, counts', async () => {
    const { job, run } = await pushed(['v1'], [releases]);
    assert.deepEqual(gist(await run(job('v1', { unproven: true }))), ['releases: created']);
    // The registry tells of a push before its tag is there, and the tag may have moved on since.
    assert.deepEqual(gist(await run(job('v2'))), ['releases: present']);
  });

  test('a claim that is not settled holds up nothing that is sure', async () => {
    const { job, run, ledger, digest } = await pushed(['latest'], [releases, byCi]);
    const first = run(job('v1', { unproven: true }), { source: 'ci', tag: 'latest', actor: 'ci' });
    await assert.rejects(first, /as ci said/);
    const [state] = await ledger.latest(`${REGISTRY}/team/app@${digest}`);
    assert.equal(state?.verdict?.outcome, 'pass');
  });
});
