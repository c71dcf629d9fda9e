import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Descriptor } from '#model/descriptor.ts';
import { digestTag, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { readBundles } from '#storage/bundle-reader.ts';
import { missingBundles, pruneBundles, writeBundles } from '#storage/bundle-writer.ts';
import { layerOf, location, manifestWith, REPOSITORY, SUBJECT, subject, writing } from '../../support/bundles.ts';
import { pushReferrer } from '../../support/referrers.ts';
import { startReferrersRegistry } from '../../support/referrers-registry.ts';
import { startRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';

const REGISTRIES = {
  'without the referrers API': () => startRegistry(),
  'with the referrers API': () => startReferrersRegistry({ pageSize: 2 }),
} as const;

/** What a record keeps as annotations of the layer are those of the manifest. */
function bare(descriptor: Descriptor | undefined) {
  const { annotations: _, ...rest } = descriptor ?? {};
  return rest;
}

for (const [name, start] of Object.entries(REGISTRIES)) {
  describe(`bundles on a registry ${name}`, () => {
    test('are written, read back, written again without a change, and pruned', async () => {
      await using registry = await start();
      await using target = connect(registry.url);
      const { context } = writing(target);
      const layers = ['one', 'two', 'three'].map(layerOf);
      const written = await writeBundles(context, location, { subject, add: layers, relist: [] });
      const digests = written.map(({ manifestDigest }) => manifestDigest);
      assert.deepEqual(await missingBundles(target, location, digests), []);
      const { evidence, skipped } = await readBundles(target, location);
      assert.deepEqual(skipped, []);
      assert.deepEqual(
        evidence.map(({ manifestDigest, descriptor, bytes, layout }) => [
          manifestDigest,
          bare(descriptor),
          Buffer.from(bytes ?? []),
          layout,
        ]),
        written.map(({ manifestDigest }, at) => {
          const { bytes = Buffer.of(), descriptor } = layers[at] ?? {};
          return [manifestDigest, bare(descriptor), Buffer.from(bytes), 'bundle'];
        }),
      );
      const again = await writeBundles(context, location, { subject, add: layers, relist: [] });
      assert.deepEqual(again, written);
      assert.equal((await readBundles(target, location)).evidence.length, 3);
      const [gone, ...kept] = digests;
      assert.ok(gone);
      assert.deepEqual(await pruneBundles(context, location, [gone]), { pruned: [gone], kept: [] });
      assert.deepEqual(
        (await readBundles(target, location)).evidence.map((raw) => raw.manifestDigest).sort(),
        kept.sort(),
      );
      // Pruned already, by us or by somebody else.
      assert.deepEqual(await pruneBundles(context, location, [gone]), { pruned: [gone], kept: [] });
    });

    test('are listed again from the record when somebody deleted their manifest', async () => {
      await using registry = await start();
      await using target = connect(registry.url);
      const { context } = writing(target);
      const layer = layerOf('one');
      const [written] = await writeBundles(context, location, { subject, add: [layer], relist: [] });
      assert.ok(written);
      await target.deleteManifest(REPOSITORY, written.manifestDigest);
      assert.deepEqual(await missingBundles(target, location, [written.manifestDigest]), [written.manifestDigest]);
      const relisted = await writeBundles(context, location, { subject, add: [], relist: [written.layer] });
      assert.deepEqual(relisted, [written]);
      assert.deepEqual(await missingBundles(target, location, [written.manifestDigest]), []);
      const unknown = { ...written.layer, digest: sha256('never pushed') };
      await assert.rejects(writeBundles(context, location, { subject, add: [], relist: [unknown] }), {
        code: 'not-found',
      });
    });

    test('what else refers to the image is passed over and said', async () => {
      await using registry = await start();
      await using target = connect(registry.url);
      const { context } = writing(target);
      const other = await pushReferrer(target, REPOSITORY, SUBJECT, 'an SBOM');
      const two = await manifestWith(target, [layerOf('a'), layerOf('b')]);
      const lying = await manifestWith(target, [layerOf('c')], (layer) => ({ ...layer, size: layer.size + 1 }));
      const huge = await manifestWith(target, [layerOf('d')], (layer) => ({ ...layer, size: 129 * 1024 * 1024 }));
      const [ours] = await writeBundles(context, location, { subject, add: [layerOf('ours')], relist: [] });
      const { evidence, skipped } = await readBundles(target, location);
      assert.deepEqual(
        evidence.map(({ manifestDigest }) => manifestDigest),
        [ours?.manifestDigest],
      );
      const reasons = Object.fromEntries(skipped.map(({ descriptor, reason }) => [descriptor.digest, reason]));
      assert.deepEqual(reasons, {
        [other.digest]: 'not-a-bundle',
        [two]: 'not-a-bundle',
        [lying]: 'bundle-unreadable',
        [huge]: 'too-large',
      });
    });
  });
}

describe('who may write', () => {
  test('every manifest and every list is announced, and the lease is checked before each', async () => {
    await using registry = await startRegistry();
    await using target = connect(registry.url);
    let checks = 0;
    const { context, announced } = writing(target, async () => {
      checks++;
    });
    const written = await writeBundles(context, location, {
      subject,
      add: ['one', 'two'].map(layerOf),
      relist: [],
    });
    const index = (await target.resolve(REPOSITORY, digestTag(SUBJECT))).digest;
    const [first, second] = written;
    assert.deepEqual(
      announced,
      [first?.manifestDigest, second?.manifestDigest, index].map((digest) => `registry.test/team/app@${digest}`),
    );
    assert.equal(checks, 3);
  });

  test('a lease that is lost before the list is written leaves the list as it was', async () => {
    await using registry = await startRegistry();
    await using target = connect(registry.url);
    await writeBundles(writing(target).context, location, { subject, add: [layerOf('before')], relist: [] });
    const index = (await target.resolve(REPOSITORY, digestTag(SUBJECT))).digest;
    let checks = 0;
    const { context } = writing(target, async () => {
      checks++;
      if (checks === 2) throw new AppError('lock-lost', 'another writer took it');
    });
    const edit = { subject, add: [layerOf('late')], relist: [] };
    await assert.rejects(writeBundles(context, location, edit), { code: 'lock-lost' });
    assert.equal((await target.resolve(REPOSITORY, digestTag(SUBJECT))).digest, index);
    checks = 0;
    const { evidence } = await readBundles(target, location);
    const [before] = evidence.map(({ manifestDigest }) => manifestDigest);
    assert.ok(before);
    await assert.rejects(pruneBundles(context, location, [before]), { code: 'lock-lost' });
    assert.equal((await readBundles(target, location)).evidence.length, 1);
  });

  test('nothing to write asks the registry nothing', async () => {
    await using registry = await startReferrersRegistry();
    await using target = connect(registry.url);
    const { context } = writing(target);
    assert.deepEqual(await writeBundles(context, location, { subject, add: [], relist: [] }), []);
    assert.deepEqual(await pruneBundles(context, location, []), { pruned: [], kept: [] });
    assert.deepEqual(registry.requests, []);
  });
});

describe('registries that do not delete', () => {
  test('with the referrers API they keep what is superseded, and are not asked again', async () => {
    await using registry = await startReferrersRegistry({ deletes: false });
    await using target = connect(registry.url);
    const { context } = writing(target);
    const [written] = await writeBundles(context, location, { subject, add: [layerOf('one')], relist: [] });
    const digests = [written?.manifestDigest ?? SUBJECT];
    assert.deepEqual(await pruneBundles(context, location, digests), { pruned: [], kept: digests });
    const asked = registry.requests.length;
    assert.deepEqual(await pruneBundles(context, location, digests), { pruned: [], kept: digests });
    assert.equal(registry.requests.length, asked);
  });

  test('without it, what is superseded goes off the list', async () => {
    await using registry = await startRegistry({ delete: false });
    await using target = connect(registry.url);
    const { context } = writing(target);
    const [written] = await writeBundles(context, location, { subject, add: [layerOf('one')], relist: [] });
    const digests = [written?.manifestDigest ?? SUBJECT];
    assert.deepEqual(await pruneBundles(context, location, digests), { pruned: digests, kept: [] });
    assert.deepEqual((await readBundles(target, location)).evidence, []);
  });
});
