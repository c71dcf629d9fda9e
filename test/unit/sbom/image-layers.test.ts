import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { buildLayer, builtContent } from '#cli/demo/image-writer.ts';
import { writeTar } from '#cli/demo/tar-writer.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { OCI_LAYER_GZIP } from '#model/media-types.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import { CATALOGERS } from '#sbom/catalogers/index.ts';
import { createMemoryLayerFactsCache, type LayerFactsCache } from '#sbom/layer-facts-cache.ts';
import { DEFAULT_WALK_LIMITS } from '#sbom/limits.ts';
import { SbomOptions } from '#sbom/options.ts';
import { type LayerProgress, takeInventory } from '#sbom/take-inventory.ts';
import { fails } from '../../support/failure.ts';
import { debianItems, npmItem, textFile } from '../../support/image.ts';
import { purls, REPOSITORY, stored, take } from '../../support/inventory.ts';

const BASE = debianItems({ 'base-files': '12.4', libc6: '2.36-9' });

describe('layers of an image', () => {
  it('are fetched only when they are not remembered', async () => {
    const base = await buildLayer(BASE);
    const [one, two] = [
      await buildLayer([npmItem('srv', 'a', '1.0.0')]),
      await buildLayer([npmItem('srv', 'a', '2.0.0')]),
    ];
    const { source, fetched } = await stored([base, one, two]);
    const cache = createMemoryLayerFactsCache(1_000_000);
    const progress: LayerProgress[] = [];
    const request = { source, repository: REPOSITORY, cache, onProgress: (step: LayerProgress) => progress.push(step) };
    const cold = await takeInventory({ ...request, layers: [base.descriptor, one.descriptor] });
    const warm = await takeInventory({ ...request, layers: [base.descriptor, one.descriptor] });
    const next = await takeInventory({ ...request, layers: [base.descriptor, two.descriptor] });
    assert.deepEqual(warm, cold);
    assert.deepEqual(purls(next).at(-1), 'pkg:npm/a@2.0.0');
    assert.deepEqual(fetched, [base.descriptor.digest, one.descriptor.digest, two.descriptor.digest]);
    assert.deepEqual(
      progress.map(({ layer, layers, how }) => `${layer}/${layers} ${how}`),
      ['1/2 read', '2/2 read', '1/2 remembered', '2/2 remembered', '1/2 remembered', '2/2 read'],
    );
  });

  it('are fetched once when listed twice', async () => {
    const layer = await buildLayer(BASE);
    const { source, fetched } = await stored([layer]);
    const inventory = await takeInventory({
      source,
      repository: REPOSITORY,
      layers: [layer.descriptor, layer.descriptor],
    });
    assert.equal(fetched.length, 1);
    assert.equal(inventory.packages.length, 2);
  });

  it('are read anew when the catalogers have changed', async () => {
    const layer = await buildLayer(BASE);
    const { source, fetched } = await stored([layer]);
    const cache = createMemoryLayerFactsCache(1_000_000);
    const request = { source, repository: REPOSITORY, cache, layers: [layer.descriptor] };
    await takeInventory(request);
    const raised = CATALOGERS.map((cataloger) => ({ ...cataloger, version: cataloger.version + 1 }));
    await takeInventory({ ...request, catalogers: raised });
    assert.equal(fetched.length, 2);
  });

  it('are gaps when they are foreign or no file system', async () => {
    const layer = await buildLayer(BASE);
    const { source, fetched } = await stored([layer]);
    const foreign = builtContent(Buffer.from('f'), 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip');
    const other = builtContent(Buffer.from('o'), 'application/vnd.in-toto+json');
    const layers = [foreign.descriptor, layer.descriptor, other.descriptor];
    const inventory = await takeInventory({ source, repository: REPOSITORY, layers });
    assert.deepEqual(fetched, [layer.descriptor.digest]);
    assert.equal(inventory.packages.length, 2);
    assert.equal(inventory.complete, false);
    assert.match(inventory.gaps.join('\n'), /is not distributed by the registry/);
    assert.match(inventory.gaps.join('\n'), /is no file system layer \(application\/vnd\.in-toto\+json\)/);
  });

  it('are never remembered when they are corrupt, truncated, too large or not what was announced', async () => {
    const tar = writeTar(BASE);
    const cut = builtContent(gzipSync(tar.subarray(0, 540)), OCI_LAYER_GZIP);
    const half = builtContent(gzipSync(tar).subarray(0, 200), OCI_LAYER_GZIP);
    const page = builtContent(Buffer.from('<html>'.repeat(200)), OCI_LAYER_GZIP);
    const zeros = builtContent(
      gzipSync(Buffer.concat([tar.subarray(0, -1024), Buffer.alloc(2 ** 24)])),
      OCI_LAYER_GZIP,
    );
    const set: Digest[] = [];
    const cache: LayerFactsCache = { get: async () => undefined, set: async (digest) => void set.push(digest) };
    for (const [code, { bytes, descriptor }] of [
      ['layer-corrupt', cut],
      ['layer-corrupt', half],
      ['layer-corrupt', page],
      ['layer-bomb', zeros],
    ] as const) {
      const source = { blob: async () => Readable.from([bytes]) };
      const limits = { ...DEFAULT_WALK_LIMITS, unpackedBytesPerLayer: 2 ** 22 };
      await fails(code, takeInventory({ source, repository: REPOSITORY, layers: [descriptor], cache, limits }));
    }
    const layer = await buildLayer(BASE);
    const target = createMemoryTarget();
    await target.pushBlob(REPOSITORY, layer.bytes, OCI_LAYER_GZIP);
    const short = { ...layer.descriptor, size: layer.descriptor.size - 1 };
    const lied = takeInventory({ source: target, repository: REPOSITORY, layers: [short], cache });
    await assert.rejects(lied, (error) => error instanceof AppError && error.class === 'permanent');
    assert.deepEqual(set, []);
  });

  it('share one budget of unpacked bytes, remembered layers too', async () => {
    const limits = { ...DEFAULT_WALK_LIMITS, unpackedBytesPerImage: 10_000 };
    const cache = createMemoryLayerFactsCache(1_000_000);
    const large = [textFile('a', 'x'.repeat(6000))];
    const other = [textFile('b', 'x'.repeat(6000))];
    await take([large], { limits, cache });
    await take([other], { limits, cache });
    await fails('layer-bomb', take([large, other], { limits, cache }));
    await fails('layer-bomb', take([large, other], { limits }));
  });

  it('are left at once when the work is stopped', async () => {
    await fails('canceled', take([BASE], { signal: AbortSignal.abort() }));
  });
});

describe('memory of layer facts', () => {
  it('drops the least recently used beyond its bound', async () => {
    const facts = { version: '1', unpackedBytes: 1, files: [], whiteouts: [], opaques: [], occupied: '', gaps: [] };
    const cache = createMemoryLayerFactsCache(3 * JSON.stringify(facts).length);
    const digests = ['a', 'b', 'c', 'd'].map((hex): Digest => `sha256:${hex.repeat(64)}`);
    for (const digest of digests.slice(0, 3)) await cache.set(digest, facts);
    const [a, b, c, d] = digests as [Digest, Digest, Digest, Digest];
    await cache.get(a);
    await cache.set(d, facts);
    assert.deepEqual(await Promise.all([a, b, c, d].map(async (digest) => (await cache.get(digest)) !== undefined)), [
      true,
      false,
      true,
      true,
    ]);
    await cache.set(b, { ...facts, gaps: ['x'.repeat(1000)] });
    assert.equal(await cache.get(b), undefined);
  });
});

describe('options', () => {
  it('default to the limits of the walk', () => {
    assert.deepEqual({ ...DEFAULT_WALK_LIMITS, ...SbomOptions.parse({}).limits }, DEFAULT_WALK_LIMITS);
  });
});
