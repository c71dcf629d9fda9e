import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attachedDigests } from '../support/attachments.ts';
import { ATTACH, attachedTimes, type FaultGround, openFaultGround } from '../support/fault-ground.ts';
import type { HookResult } from '../support/registry-proxy.ts';

/** Kills a worker at a point that its talk with the registry shows, and lets another one take over. */
async function killedAt(repository: string, arrange: (ground: FaultGround, kill: () => Promise<HookResult>) => void) {
  const ground = await openFaultGround();
  const first = await ground.workers.spawn();
  const killed = Promise.withResolvers<void>();
  arrange(ground, async () => {
    first.signal('SIGKILL');
    assert.equal(await first.ended, 'SIGKILL');
    killed.resolve();
    return 'drop';
  });
  const digest = await ground.pushed(repository);
  await killed.promise;
  return { ground, digest };
}

test('killed between signing and attaching: what was signed is attached by the next one, once', async () => {
  const repository = 'killed/before-attaching';
  const { ground, digest } = await killedAt(repository, ({ proxy }, kill) => proxy.before(ATTACH, kill));
  await using _ground = ground;
  await assert.rejects(attachedDigests(ground.client, repository, digest), { code: 'not-found' });
  await ground.workers.spawn();
  await ground.wholeOnce(repository, digest);
  assert.equal(attachedTimes(ground.proxy), 1);
});

test('killed between attaching and putting that down: the next one finds it, and writes nothing', async () => {
  const repository = 'killed/before-recording';
  const { ground, digest } = await killedAt(repository, ({ proxy }, kill) => proxy.after(ATTACH, kill));
  await using _ground = ground;
  const attached = await attachedDigests(ground.client, repository, digest);
  await ground.workers.spawn();
  await ground.wholeOnce(repository, digest);
  assert.equal(attachedTimes(ground.proxy), 1);
  assert.deepEqual(await attachedDigests(ground.client, repository, digest), attached);
});

test('killed between attaching and acknowledging: the job runs again and changes nothing', async () => {
  const repository = 'killed/before-acknowledging';
  const { ground, digest } = await killedAt(repository, ({ proxy }, kill) => {
    // Attached, read back and put down: the next it asks is whether the image is still there, to judge it.
    proxy.after(ATTACH, async () => {
      proxy.before(/^HEAD .*\/manifests\/sha256:/, kill);
      return undefined;
    });
  });
  await using _ground = ground;
  const attached = await attachedDigests(ground.client, repository, digest);
  await ground.workers.spawn();
  await ground.wholeOnce(repository, digest);
  assert.equal(attachedTimes(ground.proxy), 1);
  assert.deepEqual(await attachedDigests(ground.client, repository, digest), attached);
});
