import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type BuiltImage, buildImage, buildLayer, builtContent } from '#cli/demo/image-writer.ts';
import { pushImage } from '#cli/demo/push-image.ts';
import { tarHeader, writeTar } from '#cli/demo/tar-writer.ts';
import { resolveSubject } from '#engine/resolve.ts';
import { sha256 } from '#model/digest.ts';
import { OCI_LAYER_GZIP } from '#model/media-types.ts';
import type { Target } from '#oci/target.ts';
import type { Inventory } from '#sbom/inventory.ts';
import { DEFAULT_WALK_LIMITS } from '#sbom/limits.ts';
import { takeInventory } from '#sbom/take-inventory.ts';
import { fails } from '../../support/failure.ts';
import { debianItems, npmItem, textFile } from '../../support/image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';

const LIMITS = { ...DEFAULT_WALK_LIMITS, unpackedBytesPerLayer: 4 * 1024 * 1024, entries: 1000 };
const DEBIAN = debianItems({ 'base-files': '12.4' });

describe('layers in a registry', () => {
  let registry: TestRegistry;
  let target: Target & AsyncDisposable;

  beforeEach(async () => {
    registry = await startRegistry();
    target = connect(registry.url);
  });
  afterEach(async () => {
    await target[Symbol.asyncDispose]();
    await registry.stop();
  });

  async function inventoryOf(image: BuiltImage): Promise<Inventory> {
    await pushImage(target, 'team/app', 'v1', image);
    const subject = await resolveSubject(target, { registry: registry.host, repository: 'team/app', tag: 'v1' });
    const layers = subject.platforms.flatMap((platform) => platform.layers);
    return takeInventory({ source: target, repository: 'team/app', layers, limits: LIMITS });
  }

  function ofBytes(bytes: Uint8Array): BuiltImage {
    return buildImage({ layers: [{ ...builtContent(bytes, OCI_LAYER_GZIP), diffId: sha256(bytes) }] });
  }

  it('of Docker schema 2 images, and of configs without system or architecture, are read', async () => {
    const layers = [
      await buildLayer(DEBIAN, 'docker-gzip'),
      await buildLayer([npmItem('srv', 'a', '1.0.0')], 'docker-gzip'),
    ];
    for (const image of [
      buildImage({ layers, form: 'docker', platform: { os: 'linux', architecture: 'amd64' } }),
      buildImage({ layers, form: 'docker' }),
      buildImage({
        layers: [await buildLayer(DEBIAN, 'zstd'), await buildLayer([npmItem('srv', 'a', '1.0.0')], 'tar')],
      }),
    ]) {
      const { packages, complete } = await inventoryOf(image);
      assert.deepEqual(
        packages.map(({ name }) => name),
        ['base-files', 'a'],
      );
      assert.equal(complete, true);
    }
  });

  it('that are truncated or no archives are corrupt', async () => {
    const tar = writeTar(DEBIAN);
    await fails('layer-corrupt', inventoryOf(ofBytes(gzipSync(tar).subarray(0, 150))));
    await fails('layer-corrupt', inventoryOf(ofBytes(gzipSync(tar.subarray(0, 540)))));
    await fails('layer-corrupt', inventoryOf(ofBytes(Buffer.from('{"layer":"none"}'.repeat(100)))));
    const lie = Buffer.concat([tarHeader({ name: 'var/lib/dpkg/status', type: '0', size: 5_000_000 }), tar]);
    await fails('layer-corrupt', inventoryOf(ofBytes(gzipSync(lie))));
  });

  it('that expand without measure are bombs', async () => {
    const zeros = { kind: 'file', path: 'zeros', bytes: Buffer.alloc(8 * 1024 * 1024) } as const;
    await fails('layer-bomb', inventoryOf(buildImage({ layers: [await buildLayer([zeros])] })));
    await fails('layer-bomb', inventoryOf(buildImage({ layers: [await buildLayer([zeros], 'zstd')] })));
    const many = Array.from({ length: 1001 }, (_, i) => textFile(`f${i}`, ''));
    await fails('layer-bomb', inventoryOf(buildImage({ layers: [await buildLayer(many)] })));
  });

  it('that are gone are not found', async () => {
    const layer = await buildLayer(DEBIAN);
    const layers = [layer.descriptor];
    await fails('not-found', takeInventory({ source: target, repository: 'team/app', layers, limits: LIMITS }));
  });
});
