import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, digestTag } from '#model/digest.ts';
import { createTagNames } from '#redis/tag-names.ts';
import { REGISTRY } from '../../support/installation.ts';
import { imageJob } from '../../support/jobs.ts';
import { type NotifyingGround, openNotifyingGround } from '../../support/notifying-ground.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { until, untilIdle } from '../../support/worker-setup.ts';

const repository = 'team/app';
const named = (digest: Digest) => `${REGISTRY}/${repository}@${digest}`;

async function passes({ workers }: NotifyingGround, digest: Digest): Promise<void> {
  await until('it is judged', async () => (await workers.ledger.latest(named(digest))).length > 0);
  const [state] = await workers.ledger.latest(named(digest));
  assert.equal(state?.verdict?.outcome, 'pass');
}

test('a tag that moves between event and job: both images are attested, and what the first one lost is recorded', async () => {
  await using ground = await openNotifyingGround();
  const { workers, client } = ground;
  const first = await push(client, repository, '1.0', await smallImage('first'));
  const second = await push(client, repository, '1.0', await smallImage('second'));
  await until('both wait', async () => (await workers.queues.counts())[0]?.waiting === 2);
  await workers.start();
  await passes(ground, first);
  await passes(ground, second);
  await until('it is recorded', async () => (await workers.ledger.removals(named(first))).length > 0);
  await untilIdle(workers);
  const [{ at: _, ...removal } = assert.fail()] = await workers.ledger.removals(named(first));
  assert.deepEqual(removal, { kind: 'untagged', tag: '1.0', movedTo: second, learnedBy: 'push', source: 'hub' });
  assert.deepEqual(await workers.ledger.removals(named(second)), []);
  assert.deepEqual(ground.told(/untagged/), [['image.untagged', named(first)]]);
  assert.deepEqual(await workers.dead.list({ limit: 10 }), []);
});

test('an event without a digest: the worker resolves the tag, and the ledger says to what', async () => {
  await using ground = await openNotifyingGround();
  const { workers, client } = ground;
  const digest = await push(client, repository, '1.0', await smallImage('first'));
  const image = { registry: REGISTRY, repository, tag: '1.0' };
  await workers.queues.enqueueImage('push', imageJob('tag', { image, source: 'hub' }));
  await workers.start();
  await passes(ground, digest);
  await untilIdle(workers);
  const [state] = await workers.ledger.latest(named(digest));
  assert.equal(state?.verdict?.image, `${REGISTRY}/${repository}:1.0@${digest}`);
  // Told by its digest as well: one image, one set of evidence.
  assert.deepEqual(ground.told(/attached/), [['evidence.attached', named(digest)]]);

  await client.pushManifest(repository, '2.0', ...(await manifestOf(ground, digest)));
  await until('the tag is known', async () => (await tagged(ground, '2.0')) === digest);
});

test('content that is not visible yet is waited for', async () => {
  await using ground = await openNotifyingGround();
  const { workers, proxy, client } = ground;
  const { show } = proxy.hide(new RegExp(`/v2/${repository}/manifests/`));
  await workers.start();
  const digest = await push(client, repository, '1.0', await smallImage('late'));
  await until('it was looked for twice', async () => looks(ground, digest) >= 2);
  assert.deepEqual(await workers.ledger.latest(named(digest)), []);
  show();
  await passes(ground, digest);
  assert.deepEqual(ground.told(/dead|could-not/), []);
});

test('content that never comes is given up within the configured time, with its reason', async () => {
  await using ground = await openNotifyingGround({
    worker: { listen: { host: '127.0.0.1', port: 0 }, retry: { visibleWithin: '3s' } },
  });
  const { workers, proxy, client } = ground;
  proxy.hide(new RegExp(`/v2/${repository}/manifests/`));
  await workers.start();
  const digest = await push(client, repository, '1.0', await smallImage('never'));
  await until('it is given up', async () => (await workers.dead.list({ limit: 10 })).length > 0);
  const [{ reason, attempts } = assert.fail()] = await workers.dead.list({ limit: 10 });
  assert.deepEqual([reason.class, reason.code, reason.exhausted, attempts], ['not-yet', 'not-found', true, 3]);
  assert.match(reason.message, new RegExp(digest));
  assert.equal(await client.resolve(repository, digestTag(digest, '.att')).catch(({ code }) => code), 'not-found');
  await until('it is told', async () => ground.told(/dead/).length > 0);
  assert.deepEqual(ground.told(/dead/), [['job.dead', `${REGISTRY}/${repository}:1.0@${digest}`]]);
});

function looks({ proxy }: NotifyingGround, digest: Digest): number {
  return proxy.answered.filter((line) => line.endsWith(`/manifests/${digest}`)).length;
}

async function manifestOf({ client }: NotifyingGround, digest: Digest): Promise<[Uint8Array, string]> {
  const { bytes, descriptor } = await client.manifest(repository, digest);
  return [bytes, descriptor.mediaType];
}

async function tagged({ workers }: NotifyingGround, tag: string): Promise<string | undefined> {
  const names = createTagNames(workers.store.client, { prefix: 'notified' });
  return (await names.named(`${REGISTRY}/${repository}`, tag))?.digest;
}
