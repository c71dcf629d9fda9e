import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EvidenceLayout } from '#model/evidence.ts';
import { SIGSTORE_BUNDLE_V03 } from '#model/media-types.ts';
import { createLayoutTarget } from '#oci/layout-directory.ts';
import { readBundles } from '#storage/bundle-reader.ts';
import { attestationTagOf, overwriteAttached } from '../../support/attachments.ts';
import { wishOf } from '../../support/installation.ts';
import {
  counting,
  keySigner,
  type LayoutRegistry,
  layoutGround,
  manifestsOf,
  openRegistry,
  REGISTRY_KINDS,
  signatureOf,
} from '../../support/layout-ground.ts';
import { makeScratch } from '../../support/scratch.ts';

const BOTH: readonly EvidenceLayout[] = ['cosign-tag', 'bundle'];

for (const kind of REGISTRY_KINDS) {
  describe(`evidence in two layouts, ${kind}`, () => {
    let registry: LayoutRegistry;
    before(async () => {
      registry = await openRegistry(kind);
    });
    after(() => registry[Symbol.asyncDispose]());

    /** An image, a key that counts what it signs, and a wish in these layouts. */
    async function start(name: string, layouts = BOTH) {
      const ground = await layoutGround(registry.client, name);
      const { signer, signatures } = counting(keySigner());
      const wish = (more: object = {}) => wishOf('slsaprovenance1', { signer, layouts, ...more });
      return { ...ground, ground, signer, signatures, wish };
    }

    test('one signature is stored in both, and found in both', async () => {
      const { run, wish, signatures, attestations, bundles, target } = await start('both');
      assert.deepEqual(await run([wish()]), ['slsaprovenance1 cosign-tag created', 'slsaprovenance1 bundle created']);
      assert.equal(signatures(), 1);
      const [attestation] = await attestations();
      const [bundle, ...more] = await bundles();
      assert.ok(attestation && bundle);
      assert.deepEqual(more, []);
      assert.equal(signatureOf(bundle), signatureOf(attestation));
      const written = target.puts.length;
      assert.deepEqual(await run([wish()]), ['slsaprovenance1 cosign-tag present', 'slsaprovenance1 bundle present']);
      assert.equal(target.puts.length, written);
      assert.equal(signatures(), 1);
    });

    test('a bundle alone leaves no tag of cosign', async () => {
      const { run, wish, location, bundles, target } = await start('bundle-alone', ['bundle']);
      assert.deepEqual(await run([wish()]), ['slsaprovenance1 bundle created']);
      assert.deepEqual(
        (await bundles()).map(({ descriptor }) => descriptor.mediaType),
        [SIGSTORE_BUNDLE_V03],
      );
      const { repository, digest } = location;
      await assert.rejects(target.resolve(repository, attestationTagOf(digest)), { code: 'not-found' });
      assert.deepEqual(await run([wish()]), ['slsaprovenance1 bundle present']);
    });

    test('a layout that is wanted later gets the same envelope, unsigned', async () => {
      const { run, wish, signatures, attestations, bundles } = await start('later');
      assert.deepEqual(await run([wish({ layouts: ['cosign-tag'] })]), ['slsaprovenance1 cosign-tag created']);
      const before = manifestsOf(await attestations());
      assert.deepEqual(await run([wish()]), ['slsaprovenance1 cosign-tag present', 'slsaprovenance1 bundle created']);
      assert.deepEqual(manifestsOf(await attestations()), before);
      assert.equal(signatures(), 1);
      const [attestation] = await attestations();
      const [bundle] = await bundles();
      assert.ok(attestation && bundle);
      assert.equal(signatureOf(bundle), signatureOf(attestation));
    });

    test('a referrer that somebody deleted is attached again from the record, unsigned', async () => {
      const { run, wish, signatures, bundles, location, target } = await start('deleted-referrer');
      await run([wish()]);
      const before = await bundles();
      for (const manifest of manifestsOf(before)) await target.deleteManifest(location.repository, manifest);
      assert.deepEqual(await bundles(), []);
      assert.deepEqual(await run([wish()], { maySign: false }), [
        'slsaprovenance1 cosign-tag present',
        'slsaprovenance1 bundle restored',
      ]);
      assert.deepEqual(manifestsOf(await bundles()), manifestsOf(before));
      assert.equal(signatures(), 1);
    });

    test('without a record, each layout is completed from the other', async () => {
      const { run, wish, signatures, attestations, bundles, location, target, ground } = await start('no-record');
      await run([wish()]);
      const [first] = await attestations();
      for (const manifest of manifestsOf(await bundles())) await target.deleteManifest(location.repository, manifest);
      assert.deepEqual(await ground.forgetful().run([wish()]), [
        'slsaprovenance1 cosign-tag present',
        'slsaprovenance1 bundle created',
      ]);
      await overwriteAttached(registry.client, location.repository, location.digest, []);
      assert.deepEqual(await ground.forgetful().run([wish()]), [
        'slsaprovenance1 cosign-tag created',
        'slsaprovenance1 bundle present',
      ]);
      const [again] = await attestations();
      assert.deepEqual(again?.descriptor, first?.descriptor);
      assert.equal(signatures(), 1);
    });

    test('what is made anew replaces ours in both, and nobody else’s', async () => {
      const { run, wish, signatures, attestations, bundles, ground } = await start('anew');
      const theirs = wishOf('slsaprovenance1', { signer: keySigner('other'), layouts: BOTH });
      await ground.forgetful().run([theirs]);
      const before = new Set(manifestsOf(await bundles()));
      await run([wish()]);
      const ours = manifestsOf(await bundles()).filter((manifest) => !before.has(manifest));
      assert.deepEqual(await run([wish()], { force: true }), [
        'slsaprovenance1 cosign-tag replaced',
        'slsaprovenance1 bundle replaced',
      ]);
      assert.equal(signatures(), 2);
      const left = manifestsOf(await bundles());
      assert.equal(left.length, 2);
      assert.equal((await attestations()).length, 2);
      for (const manifest of before) assert.ok(left.includes(manifest));
      for (const manifest of ours) assert.ok(!left.includes(manifest));
    });

    test('an image is signed in both layouts, each in its own form', async () => {
      const { run, signer, signatures, bundles, ground, attestations } = await start('signed');
      const wish = wishOf('signature', { signer, layouts: BOTH });
      assert.deepEqual(await run([wish]), ['signature cosign-tag created', 'signature bundle created']);
      assert.equal(signatures(), 2);
      const [signature, ...more] = await ground.signatures();
      assert.ok(signature);
      assert.deepEqual([more, await attestations()], [[], []]);
      const payload = JSON.parse(Buffer.from(signature.bytes ?? []).toString('utf8'));
      assert.equal(payload.critical.image['docker-manifest-digest'], ground.location.digest);
      assert.equal((await bundles()).length, 1);
      assert.deepEqual(await ground.forgetful().run([wish]), [
        'signature cosign-tag present',
        'signature bundle present',
      ]);
      assert.equal(signatures(), 2);
      assert.deepEqual(await run([wish], { force: true }), [
        'signature cosign-tag replaced',
        'signature bundle replaced',
      ]);
      assert.equal((await ground.signatures()).length, 1);
      assert.equal((await bundles()).length, 1);
    });

    test('what a rule may not sign is not signed, in no layout', async () => {
      const { run, wish, signatures, bundles, attestations } = await start('refused');
      assert.deepEqual(await run([wish()], { maySign: false }), [
        'slsaprovenance1 cosign-tag refused',
        'slsaprovenance1 bundle refused',
      ]);
      assert.deepEqual([signatures(), await attestations(), await bundles()], [0, [], []]);
    });
  });
}

test('bundles go to another repository, and are found there by us', async () => {
  for (const kind of REGISTRY_KINDS) {
    await using registry = await openRegistry(kind);
    const { run, location, bundles, ground } = await at(registry, 'elsewhere');
    const wish = wishOf('slsaprovenance1', {
      signer: keySigner(),
      layouts: BOTH,
      repository: 'registry.test/security/evidence',
    });
    assert.deepEqual(await run([wish]), ['slsaprovenance1 cosign-tag created', 'slsaprovenance1 bundle created'], kind);
    assert.deepEqual(await ground.forgetful().run([wish]), [
      'slsaprovenance1 cosign-tag present',
      'slsaprovenance1 bundle present',
    ]);
    assert.deepEqual(await bundles(), []);
    const there = { ...location, repository: 'security/evidence' };
    assert.equal((await readBundles(registry.client, there)).evidence.length, 1);
  }
});

test('a layout folder holds both, without any registry', async () => {
  await using scratch = await makeScratch();
  const ground = await layoutGround(createLayoutTarget(scratch.at('layouts')), 'folder');
  const wish = wishOf('slsaprovenance1', { signer: keySigner(), layouts: BOTH });
  assert.deepEqual(await ground.run([wish]), ['slsaprovenance1 cosign-tag created', 'slsaprovenance1 bundle created']);
  assert.deepEqual(await ground.run([wish], { force: true }), [
    'slsaprovenance1 cosign-tag replaced',
    'slsaprovenance1 bundle replaced',
  ]);
  assert.equal((await ground.bundles()).length, 1);
  assert.equal((await ground.attestations()).length, 1);
});

async function at({ client }: LayoutRegistry, name: string) {
  const ground = await layoutGround(client, name);
  return { ...ground, ground };
}
