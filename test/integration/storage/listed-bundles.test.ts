import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestTag, sha256 } from '#model/digest.ts';
import { OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, SIGSTORE_BUNDLE_V03 } from '#model/media-types.ts';
import { writeBundles } from '#storage/bundle-writer.ts';
import { readListedBundles } from '#storage/listed-bundles.ts';
import { layerOf, location, REPOSITORY, SUBJECT, subject, writing } from '../../support/bundles.ts';
import { startReferrersRegistry } from '../../support/referrers-registry.ts';
import { connect } from '../../support/registry-target.ts';

const NO_API = { status: 404, code: 'NOT_FOUND', message: '' };

describe('bundles as the list of referrers names them', () => {
  test('those of the first page, in its order', async () => {
    await using registry = await startReferrersRegistry();
    await using target = connect(registry.url);
    const { context } = writing(target);
    const layers = ['one', 'two', 'three'].map(layerOf);
    await writeBundles(context, location, { subject, add: layers, relist: [] });
    const all = await readListedBundles(target, location);
    assert.deepEqual([all.listed, all.evidence.length, all.artifact], [3, 3, undefined]);
    assert.deepEqual(
      new Set(all.evidence.map(({ descriptor }) => descriptor.digest)),
      new Set(layers.map(({ descriptor }) => descriptor.digest)),
    );
    registry.manner.pageSize = 2;
    const first = await readListedBundles(target, location);
    assert.deepEqual([first.listed, first.evidence], [2, all.evidence.slice(0, 2)]);
  });

  test('by what the list says of their type, and what cannot be read is there without bytes', async () => {
    await using registry = await startReferrersRegistry({ referrers: NO_API });
    await using target = connect(registry.url);
    const layer = { mediaType: 'text/plain', digest: sha256('x'), size: 1 };
    const config = { mediaType: OCI_EMPTY, digest: sha256('{}'), size: 2 };
    const put = (layers: readonly object[]) => {
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }));
      registry.store.putManifest(REPOSITORY, sha256(bytes), bytes, OCI_MANIFEST);
      return { mediaType: OCI_MANIFEST, digest: sha256(bytes), size: bytes.length };
    };
    const [listedAsBundle, empty] = [put([layer, { ...layer, digest: sha256('second') }]), put([])];
    const unlisted = put([{ ...layer, mediaType: SIGSTORE_BUNDLE_V03 }]);
    const huge = put([{ ...layer, size: 11 * 1024 * 1024 }]);
    const gone = { mediaType: OCI_MANIFEST, digest: sha256('gone'), size: 3 };
    await target.pushBlob(REPOSITORY, Buffer.from('x'), 'text/plain');
    const as = (entry: object) => ({ ...entry, artifactType: SIGSTORE_BUNDLE_V03 });
    const manifests = [as(listedAsBundle), unlisted, as(empty), as(huge), as(gone)];
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
    registry.store.putManifest(REPOSITORY, digestTag(SUBJECT), Buffer.from(JSON.stringify(index)), OCI_INDEX);
    const { listed, evidence } = await readListedBundles(target, location);
    assert.equal(listed, 5);
    assert.deepEqual(
      evidence.map(({ manifestDigest, bytes }) => [manifestDigest, bytes && Buffer.from(bytes).toString()]),
      [
        [listedAsBundle.digest, 'x'],
        [empty.digest, undefined],
        [huge.digest, undefined],
        [gone.digest, undefined],
      ],
    );
  });

  test('of more than fifty nothing is fetched; a registry that refuses the list is a failure', async () => {
    await using registry = await startReferrersRegistry({ referrers: NO_API });
    await using target = connect(registry.url);
    const entries = (count: number) =>
      Array.from({ length: count }, (_, at) => ({
        mediaType: OCI_MANIFEST,
        digest: sha256(String(at)),
        size: 2,
        artifactType: SIGSTORE_BUNDLE_V03,
      }));
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: entries(51) };
    registry.store.putManifest(REPOSITORY, digestTag(SUBJECT), Buffer.from(JSON.stringify(index)), OCI_INDEX);
    assert.deepEqual(await readListedBundles(target, location), { evidence: [], listed: 51 });
    assert.ok(!registry.requests.some((request) => request.includes(sha256('0'))));
    registry.manner.referrers = { status: 403, code: 'DENIED', message: 'no' };
    await assert.rejects(readListedBundles(target, location), { code: 'registry-forbidden' });
  });
});
