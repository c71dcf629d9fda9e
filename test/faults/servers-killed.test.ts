import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ATTACH, attachedTimes, openFaultGround } from '../support/fault-ground.ts';

for (const [when, pattern] of [
  ['while the layers are read', /^GET .*\/blobs\/sha256:/],
  ['while the evidence is uploaded', /^POST .*\/blobs\/uploads\//],
  ['just before the evidence is attached', ATTACH],
] as const) {
  test(`Redis is killed and comes back ${when}: nothing is lost and nothing attached twice`, async () => {
    await using ground = await openFaultGround();
    await ground.workers.start();
    const restarted = Promise.withResolvers<void>();
    ground.proxy.before(pattern, async () => {
      await ground.redis.kill();
      await ground.redis.restart();
      restarted.resolve();
      return undefined;
    });
    const digest = await ground.pushed('redis/killed');
    await restarted.promise;
    await ground.wholeOnce('redis/killed', digest);
    assert.equal(attachedTimes(ground.proxy), 1);
  });
}

for (const [when, pattern] of [
  ['while the layers are read', /^GET .*\/blobs\/sha256:/],
  ['just before the evidence is attached', ATTACH],
] as const) {
  test(`the registry is killed and comes back ${when}: nothing is lost and nothing attached twice`, async () => {
    await using ground = await openFaultGround();
    await ground.workers.start();
    const restarted = Promise.withResolvers<void>();
    ground.proxy.before(pattern, async () => {
      const { back } = await ground.killRegistry();
      void back.then(restarted.resolve, restarted.reject);
      return 'drop';
    });
    const digest = await ground.pushed('registry/killed');
    await restarted.promise;
    await ground.wholeOnce('registry/killed', digest);
    assert.equal(attachedTimes(ground.proxy), 1);
  });
}
