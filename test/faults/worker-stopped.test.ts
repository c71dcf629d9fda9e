import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attachedDigests } from '../support/attachments.ts';
import { attachedTimes, openFaultGround } from '../support/fault-ground.ts';

test('a worker that stood still for longer than its lease, while another did its job, writes nothing more', async () => {
  await using ground = await openFaultGround();
  const { proxy, workers, client } = ground;
  const repository = 'stopped/app';
  const still = await workers.spawn();
  const stopped = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  // Its last look at the tag: the fence and the PUT are all that is left to do.
  proxy.before(/^HEAD .*\.att$/, async () => {
    still.signal('SIGSTOP');
    stopped.resolve();
    await goOn.promise;
    return undefined;
  });
  const digest = await ground.pushed(repository);
  await stopped.promise;
  await workers.spawn();
  await ground.wholeOnce(repository, digest);
  const attached = await attachedDigests(client, repository, digest);
  still.signal('SIGCONT');
  goOn.resolve();
  still.signal('SIGTERM');
  assert.equal(await still.ended, 0);
  assert.equal(attachedTimes(proxy), 1);
  assert.deepEqual(await attachedDigests(client, repository, digest), attached);
});
