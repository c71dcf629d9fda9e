import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestTag, sha256 } from '#model/digest.ts';
import { OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, SIGSTORE_BUNDLE_V03 } from '#model/media-types.ts';
import { readBundles } from '#storage/bundle-reader.ts';
import { writeBundles } from '#storage/bundle-writer.ts';
import { layerOf, location, manifestWith, REPOSITORY, SUBJECT, subject, writing } from '../../support/bundles.ts';
import { startReferrersRegistry } from '../../support/referrers-registry.ts';
import { connect } from '../../support/registry-target.ts';

describe('what is hostile or broken', () => {
  test('a list that names manifests and blobs that are not there, or are none', async () => {
    await using registry = await startReferrersRegistry({ referrers: { status: 404, code: 'NOT_FOUND', message: '' } });
    await using target = connect(registry.url);
    const { store } = registry;
    const bundle = { mediaType: SIGSTORE_BUNDLE_V03, digest: sha256('a blob that is gone'), size: 20 };
    const manifest = (members: Record<string, unknown>) => {
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, ...members }));
      const { digest } = store.putManifest(REPOSITORY, sha256(bytes), bytes, OCI_MANIFEST);
      return { mediaType: OCI_MANIFEST, digest, size: bytes.length };
    };
    const config = { mediaType: OCI_EMPTY, digest: sha256('{}'), size: 2 };
    const blobGone = manifest({ config, layers: [bundle] });
    const noLayers = manifest({ config, layers: 'none' });
    const nested = manifest({ config, layers: [bundle], manifests: [] });
    const gone = { mediaType: OCI_MANIFEST, digest: sha256('a manifest that is gone'), size: 3 };
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [gone, noLayers, nested, blobGone] };
    store.putManifest(REPOSITORY, digestTag(SUBJECT), Buffer.from(JSON.stringify(index)), OCI_INDEX);
    const { evidence, skipped } = await readBundles(target, location);
    assert.deepEqual(evidence, [{ location, layout: 'bundle', manifestDigest: blobGone.digest, descriptor: bundle }]);
    assert.deepEqual(
      skipped.map(({ descriptor, reason }) => [descriptor.digest, reason]),
      [
        [gone.digest, 'manifest-missing'],
        [noLayers.digest, 'manifest-unreadable'],
        [nested.digest, 'manifest-unreadable'],
      ],
    );
  });

  test('a registry that fails is a failure, not an image without evidence', async () => {
    await using registry = await startReferrersRegistry();
    await using target = connect(registry.url);
    const { context } = writing(target);
    await writeBundles(context, location, { subject, add: [layerOf('one')], relist: [] });
    registry.manner.referrers = { status: 403, code: 'DENIED', message: 'no' };
    await assert.rejects(readBundles(target, location), { code: 'registry-forbidden' });
    registry.manner.referrers = { status: 500, code: 'UNKNOWN', message: 'no' };
    await assert.rejects(readBundles(target, location), { code: 'registry-unavailable' });
  });

  test('more bytes of bundles than a reader may hold are refused before they are fetched', async () => {
    await using registry = await startReferrersRegistry();
    await using target = connect(registry.url);
    const size = 100 * 1024 * 1024;
    for (const text of ['a', 'b', 'c']) await manifestWith(target, [layerOf(text)], (layer) => ({ ...layer, size }));
    const asked = registry.requests.length;
    await assert.rejects(readBundles(target, location), { code: 'too-large', message: /the bundles of team\/app@/ });
    assert.deepEqual(
      registry.requests.slice(asked).filter((line) => line.includes('/blobs/')),
      [],
    );
  });

  test('a tag that cannot be written again says so, and names the way out', async () => {
    await using registry = await startReferrersRegistry({
      referrers: { status: 404, code: 'NOT_FOUND', message: '' },
      immutable: { status: 412, code: 'PRECONDITION', message: 'configured as immutable.' },
    });
    await using target = connect(registry.url);
    const { context } = writing(target);
    await writeBundles(context, location, { subject, add: [layerOf('one')], relist: [] });
    const edit = { subject, add: [layerOf('two')], relist: [] };
    await assert.rejects(writeBundles(context, location, edit), { code: 'tag-immutable', mend: /sha256-\*/ });
    assert.equal((await readBundles(target, location)).evidence.length, 1);
  });
});
