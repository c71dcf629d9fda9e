import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { digestTag } from '#model/digest.ts';
import type { EvidenceLayout } from '#model/evidence.ts';
import { SIGSTORE_BUNDLE_V03 } from '#model/media-types.ts';
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
import type { Step } from '../../support/watched-target.ts';

const BOTH: readonly EvidenceLayout[] = ['cosign-tag', 'bundle'];

/** The run dies here: nothing that comes after it happens. */
class Death extends Error {}

const DEATHS: readonly (readonly [string, 'before' | 'after', Step, RegExp])[] = [
  ['before the first blob', 'before', 'pushBlob', /dsse/],
  ['between the blobs', 'before', 'pushBlob', /sigstore\.bundle/],
  ['before the tag', 'before', 'pushManifest', /\.att$/],
  ['after the tag', 'after', 'pushManifest', /\.att$/],
  ['before the referrer', 'before', 'pushManifest', /^sha256:/],
  ['after the referrer', 'after', 'pushManifest', /^sha256:/],
  ['while it reads the tag back', 'before', 'manifest', /\.att$/],
];

for (const kind of REGISTRY_KINDS) {
  describe(`a run that dies, ${kind}`, () => {
    let registry: LayoutRegistry;
    before(async () => {
      registry = await openRegistry(kind);
    });
    after(() => registry[Symbol.asyncDispose]());

    for (const [name, when, step, reference] of DEATHS) {
      test(`${name}: the next one ends with each piece once`, async () => {
        const ground = await layoutGround(registry.client, name.replaceAll(' ', '-'));
        const { signer, signatures } = counting(keySigner());
        const wish = wishOf('slsaprovenance1', { signer, layouts: BOTH });
        const die = () => ground.target[when](step, reference, () => Promise.reject(new Death(name)));
        // The tag is first read to look what is there, before anything was written.
        if (step === 'manifest') ground.target.after('pushManifest', /^sha256:/, async () => die());
        else die();
        await assert.rejects(ground.run([wish]), Death);
        const states = await ground.run([wish]);
        // What was put down as written before it died is not told of twice.
        const told = step === 'manifest' ? /present$/ : /created$/;
        assert.ok(
          states.every((state) => told.test(state)),
          states.join(),
        );
        const [attestation, ...more] = await ground.attestations();
        const [bundle, ...others] = await ground.bundles();
        assert.ok(attestation && bundle);
        assert.deepEqual([more, others], [[], []]);
        assert.equal(signatureOf(bundle), signatureOf(attestation));
        // Once the blobs are there, nothing is signed again.
        assert.equal(signatures(), name === 'before the first blob' ? 2 : 1);
        assert.deepEqual(await ground.run([wish]), [
          'slsaprovenance1 cosign-tag present',
          'slsaprovenance1 bundle present',
        ]);
      });
    }

    test('between a replacement and the deletion of what it replaced: the next one deletes it', async () => {
      const ground = await layoutGround(registry.client, 'before-deletion');
      const { signer } = counting(keySigner());
      const wish = wishOf('slsaprovenance1', { signer, layouts: BOTH });
      await ground.run([wish]);
      const [old] = manifestsOf(await ground.bundles());
      ground.target.before('deleteManifest', /./, () => Promise.reject(new Death('before the deletion')));
      await assert.rejects(ground.run([wish], { force: true }), Death);
      assert.equal((await ground.bundles()).length, 2);
      assert.deepEqual(await ground.run([wish]), [
        'slsaprovenance1 cosign-tag present',
        'slsaprovenance1 bundle present',
      ]);
      const left = manifestsOf(await ground.bundles());
      assert.equal(left.length, 1);
      assert.ok(old !== undefined && !left.includes(old));
    });

    test('another writer that takes our referrer off the list: it is listed again, unsigned', async () => {
      const ground = await layoutGround(registry.client, 'taken-off');
      const { signer, signatures } = counting(keySigner());
      const wish = wishOf('slsaprovenance1', { signer, layouts: ['bundle'] });
      ground.target.after('pushManifest', /^sha256:/, async () => {
        const [manifest] = manifestsOf(await ground.bundles());
        if (manifest) await registry.client.deleteManifest(ground.location.repository, manifest);
      });
      assert.deepEqual(await ground.run([wish]), ['slsaprovenance1 bundle created']);
      assert.equal((await ground.bundles()).length, 1);
      assert.equal(signatures(), 1);
    });
  });
}

test('at the fallback tag, a list that another writer wrote over is mended', async () => {
  await using registry = await openRegistry('fallback tag');
  const ground = await layoutGround(registry.client, 'written-over');
  const { signer, signatures } = counting(keySigner());
  const wish = wishOf('slsaprovenance1', { signer, layouts: ['bundle'] });
  await ground.run([wish]);
  const { repository, digest } = ground.location;
  const empty = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };
  const bytes = Buffer.from(JSON.stringify(empty));
  await registry.client.pushManifest(repository, digestTag(digest), bytes, empty.mediaType);
  assert.deepEqual(await ground.bundles(), []);
  assert.deepEqual(await ground.run([wish]), ['slsaprovenance1 bundle restored']);
  assert.deepEqual(
    (await ground.bundles()).map(({ descriptor }) => descriptor.mediaType),
    [SIGSTORE_BUNDLE_V03],
  );
  assert.equal(signatures(), 1);
});
