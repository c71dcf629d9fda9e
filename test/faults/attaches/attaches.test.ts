import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { REGISTRY } from '../../support/installation.ts';
import { disturb } from './disturbance.ts';
import { countAll } from './final-count.ts';
import { attachForeign } from './foreign-writer.ts';
import { openAttachGround } from './ground.ts';
import { handInAll } from './hand-in.ts';
import { progressOf } from './progress.ts';
import { releaseQuarantined } from './quarantine.ts';
import { reportOf } from './report.ts';
import { chance, FORMS, seedOf, sizeOf } from './size.ts';
import { untilStill, watchForStandstill } from './stillness.ts';

for (const form of FORMS) {
  test(`no attach is lost or doubled: ${form}`, async (context) => {
    const size = sizeOf(form, process.env);
    const seed = seedOf(process.env, () => randomInt(1_000_000));
    context.diagnostic(`${form}: seed ${seed}`);
    await using ground = await openAttachGround(form, size);
    const stop = new AbortController();
    const began = performance.now();
    const progress = progressOf(ground.proxy.changes, size.digests * size.each);
    const work = Promise.all([
      handInAll(ground, chance(seed), stop.signal),
      disturb(ground.workers, size, progress, chance(seed + 1), stop.signal),
      attachForeign(form, ground, size, progress, chance(seed + 2), stop.signal),
    ]);
    const watch = watchForStandstill(ground, stop.signal);
    const quarantined = releaseQuarantined(ground, stop.signal);
    const [, disturbed, foreign] = await Promise.race([work, watch.then(() => work)]).finally(() => stop.abort());
    await watch;
    const released = await quarantined;
    await untilStill(ground);
    // As the schedule would: what no push told of is found by looking.
    for (const { repository, digest } of ground.images) {
      const { status } = await ground.call('/v1/reverify', { image: `${REGISTRY}/${repository}@${digest}` });
      assert.equal(status, 202);
    }
    await untilStill(ground);
    const seconds = (performance.now() - began) / 1000;
    const count = await countAll(form, ground, foreign);
    const { requests, changes } = { requests: ground.proxy.count, changes: ground.proxy.changes.length };
    context.diagnostic(reportOf({ form, size, seed, disturbed, released, foreign, count, seconds, requests, changes }));
    assert.deepEqual(await ground.workers.dead.list({ limit: 10 }), []);
    assert.equal(count.oursMissing, 0, 'ours that are missing');
    assert.equal(count.duplicates, 0, 'ours that are there twice');
    assert.equal(count.foreignRemovedByUs, 0, 'evidence of cosign that we took off');
    assert.ok(
      foreign.some(({ succeeded }) => succeeded),
      'cosign attached nothing: nobody raced with us',
    );
  });
}
