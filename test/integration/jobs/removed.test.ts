import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestTag } from '#model/digest.ts';
import { REGISTRY } from '../../support/installation.ts';
import { type NotifyingGround, openNotifyingGround } from '../../support/notifying-ground.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { until, untilIdle } from '../../support/worker-setup.ts';

const repository = 'team/app';

async function pushed(ground: NotifyingGround, tag: string, seed: string): Promise<string> {
  const image = `${REGISTRY}/${repository}@${await push(ground.client, repository, tag, await smallImage(seed))}`;
  await until('it is judged', async () => (await ground.workers.ledger.latest(image)).length > 0);
  await untilIdle(ground.workers);
  return image;
}

async function removed(ground: NotifyingGround, image: string) {
  const found = await ground.workers.ledger.removals(image);
  return found.map(({ at: _, ...removal }) => removal);
}

test('a tag that is deleted is recorded on its image, which stays watched; an image that is deleted is forgotten', async () => {
  await using ground = await openNotifyingGround();
  const { workers, client } = ground;
  await workers.start();
  const image = await pushed(ground, '1.0', 'first');
  await ground.untag(repository, '1.0');
  await until('it is recorded', async () => (await removed(ground, image)).length > 0);
  const untagged = { kind: 'untagged', tag: '1.0', learnedBy: 'event', source: 'hub' };
  assert.deepEqual(await removed(ground, image), [untagged]);
  assert.equal((await workers.ledger.latest(image)).length, 1);

  const digest = image.split('@')[1] as `sha256:${string}`;
  await client.deleteManifest(repository, digest);
  await until('it is recorded', async () => (await removed(ground, image)).length > 1);
  await untilIdle(workers);
  assert.deepEqual(await removed(ground, image), [{ kind: 'deleted', learnedBy: 'event', source: 'hub' }, untagged]);
  assert.deepEqual(await workers.ledger.latest(image), []);
  assert.deepEqual(await workers.ledger.due(new Date('2100-01-01'), 10), []);
  assert.deepEqual(ground.told(/^image\./), [
    ['image.untagged', image],
    ['image.deleted', image],
  ]);
  assert.deepEqual(await workers.dead.list({ limit: 10 }), []);

  // The same image once more: it is there again, and watched.
  assert.equal(await pushed(ground, '1.0', 'first'), image);
  assert.deepEqual(await removed(ground, image), []);
});

test('a tag that is pushed over is recorded on the image that it left', async () => {
  await using ground = await openNotifyingGround();
  await ground.workers.start();
  const first = await pushed(ground, '1.0', 'first');
  const second = await pushed(ground, '1.0', 'second');
  const untagged = { kind: 'untagged', tag: '1.0', movedTo: second.split('@')[1], learnedBy: 'push', source: 'hub' };
  assert.deepEqual(await removed(ground, first), [untagged]);
  assert.deepEqual(await removed(ground, second), []);
  assert.equal((await ground.workers.ledger.latest(first)).length, 1);
});

test('evidence that is deleted is looked for at once, and listed again', async () => {
  await using ground = await openNotifyingGround();
  const { client } = ground;
  await ground.workers.start();
  const image = await pushed(ground, '1.0', 'first');
  const tag = digestTag(image.split('@')[1] as `sha256:${string}`, '.att');
  const { digest } = await client.resolve(repository, tag);
  await client.deleteManifest(repository, digest);
  await until('it is back', async () => (await client.resolve(repository, tag).catch(() => undefined)) !== undefined);
  await untilIdle(ground.workers);
  assert.deepEqual(await removed(ground, image), []);
  assert.ok(ground.told(/evidence\.restored/).length > 0);
});

test('what a sender only says was removed is not', async () => {
  await using ground = await openNotifyingGround();
  const { workers } = ground;
  await workers.start();
  const image = await pushed(ground, '1.0', 'first');
  const [, digest] = image.split('@');
  await ground.deliver([
    { id: '1', action: 'delete', target: { repository, tag: '1.0' } },
    { id: '2', action: 'delete', target: { repository, digest } },
  ]);
  const looks = (path: string) => ground.proxy.answered.filter((line) => line === `HEAD ${path}`).length;
  await until('the registry is asked', async () => looks(`/v2/${repository}/manifests/${digest}`) > 0);
  assert.deepEqual(await removed(ground, image), []);
  assert.equal((await workers.ledger.latest(image)).length, 1);
});

test('a referrer of ours that is deleted by its digest is listed again', async () => {
  const evidence = [{ type: 'slsaprovenance1', signer: 'ca', layout: 'bundle' }];
  await using ground = await openNotifyingGround({ rules: [{ name: 'all', evidence }], policies: [] });
  const { client } = ground;
  await ground.workers.start();
  const image = await pushed(ground, '1.0', 'first');
  const subject = image.split('@')[1] as `sha256:${string}`;
  const referrers = async () => {
    const stored = await client.manifest(repository, digestTag(subject));
    return (JSON.parse(Buffer.from(stored.bytes).toString()) as { manifests: { digest: `sha256:${string}` }[] })
      .manifests;
  };
  const [{ digest } = assert.fail('no referrer')] = await referrers();
  await client.deleteManifest(repository, digest);
  const isThere = async () => (await client.resolve(repository, digest).catch(() => undefined)) !== undefined;
  await until('it is back', isThere);
  await untilIdle(ground.workers);
  assert.deepEqual(
    (await referrers()).map((each) => each.digest),
    [digest],
  );
  assert.ok(ground.told(/evidence\.restored/).length > 0);
});
