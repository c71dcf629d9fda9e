import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runImageJob } from '#jobs/image-job.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { ImageJob } from '#model/job.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import { enginePorts, NOW, REGISTRY, signerOf } from '../../support/installation.ts';
import { provenanceRule, testJobs } from '../../support/job-ports.ts';
import { imageJob } from '../../support/jobs.ts';
import { makePki } from '../../support/pki.ts';
import { push, smallImage } from '../../support/small-images.ts';

const repository = 'team/app';
const signer = signerOf(makePki());
const MINUTE_MS = 60_000;

/** An image that was attested under a tag, and the jobs of its registry; `clock.now` is their time. */
async function attested(tag = '1.0') {
  const target = createMemoryTarget();
  const digest = await push(target, repository, tag, await smallImage('looked-at'));
  const clock = { now: NOW };
  const jobs = testJobs(enginePorts(target, { now: () => clock.now }), [provenanceRule('all', signer.id)], [signer], {
    now: () => clock.now,
  });
  const run = (kind: ImageJob['kind'], named: { tag?: string; digest?: Digest }, more: Partial<ImageJob> = {}) => {
    const image = { registry: REGISTRY, repository, ...named };
    const job = imageJob('look', { kind, image, receivedAt: clock.now.toISOString(), ...more });
    return runImageJob('cause', job, [], jobs.ports, { signal: new AbortController().signal });
  };
  await run('attest', { tag, digest });
  const name = `${REGISTRY}/${repository}@${digest}`;
  const removed = async () =>
    (await jobs.ledger.removals(name)).map(({ kind, tag: of }) => (of ? `${kind} ${of}` : kind));
  const isKnown = async () => (await jobs.ledger.latest(name)).length > 0;
  return { ...jobs, target, digest, clock, run, removed, isKnown };
}

const AWAITED = (error: unknown) => error instanceof AppError && error.code === 'change-awaited';

describe('what a sender says was removed', () => {
  test('is waited for while the registry shows it, and then the registry is believed', async () => {
    const { run, removed, isKnown, digest, clock } = await attested();
    for (const named of [{ tag: '1.0' }, { digest }, { tag: '1.0', digest }]) {
      await assert.rejects(run('look', named, { cause: 'removed' }), AWAITED);
      const receivedAt = new Date(clock.now.getTime() - MINUTE_MS).toISOString();
      assert.deepEqual(await run('look', named, { cause: 'removed', receivedAt }), [
        { outcome: 'looked', removals: [] },
      ]);
    }
    assert.deepEqual([await removed(), await isKnown()], [[], true]);
  });

  test('and is not known is recorded nowhere', async () => {
    const { run, ledger, enqueued } = await attested();
    const digest: Digest = `sha256:${'e'.repeat(64)}`;
    await run('look', { tag: 'other', digest }, { cause: 'removed' });
    assert.deepEqual([await ledger.removals(`${REGISTRY}/${repository}@${digest}`), enqueued], [[], []]);
  });

  test('by an open door: an image that is gone is checked now, and forgotten after a day', async () => {
    const { run, removed, isKnown, target, digest, clock, ledger } = await attested();
    await target.deleteManifest(repository, digest);
    await run('look', { digest }, { cause: 'removed', unproven: true });
    assert.deepEqual([await removed(), await isKnown()], [[], true]);
    assert.equal((await ledger.due(clock.now, 10)).length, 1);
    await run('verify', { digest });
    assert.equal(await isKnown(), true);
    clock.now = new Date(NOW.getTime() + 25 * 60 * MINUTE_MS);
    await run('verify', { digest });
    assert.deepEqual([await removed(), await isKnown()], [['deleted'], false]);
  });

  test('by an open door: a tag that the image never had is not one that it lost', async () => {
    const { run, removed, digest } = await attested();
    await run('look', { tag: 'never', digest }, { cause: 'removed', unproven: true });
    assert.deepEqual(await removed(), []);
  });

  test('an image that was deleted while it was checked is forgotten by the next check, without a day of waiting', async () => {
    const { run, removed, isKnown, target, digest, ledger } = await attested();
    const states = await ledger.latest(`${REGISTRY}/${repository}@${digest}`);
    await target.deleteManifest(repository, digest);
    await run('look', { digest }, { cause: 'removed' });
    assert.equal(await isKnown(), false);
    const [{ verdict } = assert.fail()] = states;
    assert.ok(verdict);
    const image = `${REGISTRY}/${repository}@${digest}`;
    await ledger.record({ image, verdict, at: NOW, nextDue: NOW });
    await run('verify', { digest });
    assert.deepEqual([await removed(), await isKnown()], [['deleted'], false]);
  });
});

describe('what a tag names after a push', () => {
  test('a tag that still names the image before waits, and is then recorded as what it is', async () => {
    const { run, digest, target, enqueued, ledger, clock } = await attested();
    const pushed = await smallImage('pushed-by-digest');
    const next = await push(target, repository, '2.0', pushed);
    // The registry told of it under the tag that it has not moved yet.
    await run('attest', { tag: '1.0', digest: next });
    const [look = assert.fail('nobody looks'), ...others] = enqueued;
    assert.deepEqual([look.kind, look.image.tag, look.image.digest, others], ['look', '1.0', next, []]);
    await assert.rejects(run('look', { tag: '1.0', digest: next }), AWAITED);
    await push(target, repository, '1.0', pushed);
    clock.now = new Date(NOW.getTime() + 1000);
    await run('look', { tag: '1.0', digest: next }, { receivedAt: NOW.toISOString() });
    const lost = await ledger.removals(`${REGISTRY}/${repository}@${digest}`);
    assert.deepEqual(
      lost.map(({ kind, tag, movedTo, learnedBy }) => [kind, tag, movedTo, learnedBy]),
      [['untagged', '1.0', next, 'push']],
    );
    assert.deepEqual(await ledger.removals(`${REGISTRY}/${repository}@${next}`), []);
  });

  test('a tag that only a stranger says is followed no further', async () => {
    const { run, digest, enqueued, clock } = await attested();
    clock.now = new Date(NOW.getTime() + 2 * MINUTE_MS);
    await run('attest', { tag: 'made-up', digest }, { unproven: true, receivedAt: NOW.toISOString() });
    assert.deepEqual(enqueued, []);
  });
});

test('a job that looks for nothing is malformed', async () => {
  const { run } = await attested();
  await assert.rejects(run('look', {}, { cause: 'removed' }), { code: 'job-malformed' });
});
