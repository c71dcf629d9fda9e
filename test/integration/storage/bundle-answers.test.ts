import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestTag, sha256 } from '#model/digest.ts';
import { OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, SIGSTORE_BUNDLE_V03 } from '#model/media-types.ts';
import { readAttestationTag } from '#storage/attestation-tag-reader.ts';
import { writeAttestationTag } from '#storage/attestation-tag-writer.ts';
import { readBundles } from '#storage/bundle-reader.ts';
import { writeBundles } from '#storage/bundle-writer.ts';
import {
  layerOf,
  location,
  manifestWith,
  privateKey,
  REPOSITORY,
  SUBJECT,
  subject,
  writing,
} from '../../support/bundles.ts';
import { startReferrersRegistry } from '../../support/referrers-registry.ts';
import { connect } from '../../support/registry-target.ts';
import { signedStatement } from '../../support/signed-statement.ts';

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

  test('attestations at a tag that cannot be written again: the first stands, the second is told why not', async () => {
    const message = "The image tag 'x' already exists and cannot be overwritten because the repository is immutable.";
    await using registry = await startReferrersRegistry({ immutable: { status: 400, code: 'TAG_INVALID', message } });
    await using target = connect(registry.url);
    const { context } = writing(target);
    const write = async (text: string) => {
      const edit = { add: [signedStatement(privateKey, SUBJECT, text)], relist: [], drop: new Set<never>() };
      return writeAttestationTag(context, location, await readAttestationTag(target, location), edit);
    };
    const { layers } = await write('one');
    await assert.rejects(write('two'), {
      code: 'tag-immutable',
      message: /writing manifest sha256-[0-9a-f]{64}\.att of team\/app: .*TAG_INVALID/,
      mend: /layout `bundle`/,
    });
    assert.deepEqual((await readAttestationTag(target, location)).layers, layers);
  });
});
