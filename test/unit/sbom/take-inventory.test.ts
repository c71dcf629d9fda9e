import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type BuiltLayer, buildLayer, builtContent, type LayerFormat } from '#cli/demo/image-writer.ts';
import type { TarItem } from '#cli/demo/tar-writer.ts';
import { writeTar } from '#cli/demo/tar-writer.ts';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
import { OCI_LAYER_GZIP } from '#model/media-types.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import { CATALOGERS } from '#sbom/catalogers/index.ts';
import { type Inventory, refuseSilentZero } from '#sbom/inventory.ts';
import { createMemoryLayerFactsCache, type LayerFactsCache } from '#sbom/layer-facts-cache.ts';
import { DEFAULT_WALK_LIMITS } from '#sbom/limits.ts';
import { SbomOptions } from '#sbom/options.ts';
import { type InventoryRequest, type LayerProgress, takeInventory } from '#sbom/take-inventory.ts';
import { DEBIAN_RELEASE, debianItems, dpkgStatus, npmItem, pythonItem, textFile } from '../../support/image.ts';

const REPOSITORY = 'team/app';

/** A memory registry that tells which blobs were asked for. */
async function stored(layers: readonly BuiltLayer[]) {
  const target = createMemoryTarget();
  const fetched: Digest[] = [];
  for (const { bytes, descriptor } of layers) await target.pushBlob(REPOSITORY, bytes, descriptor.mediaType);
  const blob = (repository: string, wanted: Pick<Descriptor, 'digest' | 'size'>) => {
    fetched.push(wanted.digest);
    return target.blob(repository, wanted);
  };
  return { source: { blob }, fetched };
}

async function take(
  contents: readonly (readonly TarItem[])[],
  more: Partial<InventoryRequest> = {},
  format: LayerFormat = 'gzip',
): Promise<Inventory> {
  const layers = await Promise.all(contents.map((items) => buildLayer(items, format)));
  const { source } = await stored(layers);
  return takeInventory({ source, repository: REPOSITORY, layers: layers.map(({ descriptor }) => descriptor), ...more });
}

function purls({ packages }: Inventory): string[] {
  return packages.map(({ purl }) => purl);
}

async function fails(code: ErrorCode, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof AppError && error.code === code);
}

const BASE = debianItems({ 'base-files': '12.4', libc6: '2.36-9' });

describe('inventory', () => {
  for (const format of ['gzip', 'zstd', 'tar', 'docker-gzip'] as const) {
    it(`lists Debian, npm and Python packages of ${format} layers`, async () => {
      const app = [
        npmItem('srv/app', 'left-pad', '1.3.0'),
        npmItem('srv/app', '@scope/thing', '2.0.0'),
        textFile('srv/app/package.json', '{"name":"app","version":"0.1.0"}'),
        pythonItem('opt/venv/lib/python3.11/site-packages', 'Zope.Interface', '5.5'),
      ];
      const inventory = await take([BASE, app], {}, format);
      assert.deepEqual(purls(inventory), [
        'pkg:deb/debian/base-files@12.4?arch=amd64&distro=debian-12',
        'pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12',
        'pkg:npm/%40scope/thing@2.0.0',
        'pkg:npm/app@0.1.0',
        'pkg:npm/left-pad@1.3.0',
        'pkg:pypi/zope.interface@5.5',
      ]);
      assert.deepEqual(inventory.os, {
        id: 'debian',
        idLike: [],
        versionId: '12',
        name: 'Debian GNU/Linux 12 (bookworm)',
      });
      assert.equal(inventory.complete, true);
      assert.deepEqual(inventory.gaps, []);
      assert.deepEqual(
        inventory.layers.map((layer) => layer.packages),
        [2, 4],
      );
    });
  }

  it('tells which layer brought a package, through rewrites of the database', async () => {
    const upper = [
      textFile('var/lib/dpkg/status', dpkgStatus({ 'base-files': '12.4', curl: '8.1', libc6: '2.36-10' })),
    ];
    const inventory = await take([BASE, upper]);
    const [lower, top] = inventory.layers.map(({ digest }) => digest);
    assert.deepEqual(
      inventory.packages.map(({ name, version, layer }) => [name, version, layer]),
      [
        ['base-files', '12.4', lower],
        ['curl', '8.1', top],
        ['libc6', '2.36-10', top],
      ],
    );
  });

  it('forgets what upper layers remove', async () => {
    const lower = [
      ...BASE,
      npmItem('srv', 'a', '1.0.0'),
      npmItem('srv', 'b', '1.0.0'),
      pythonItem('opt/site-packages', 'six', '1.16'),
      npmItem('old', 'c', '1.0.0'),
      npmItem('swapped', 'd', '1.0.0'),
    ];
    const upper: TarItem[] = [
      textFile('srv/node_modules/.wh.a', ''),
      textFile('opt/site-packages/.wh.six-1.16.dist-info', ''),
      textFile('old/.wh..wh..opq', ''),
      npmItem('old', 'e', '1.0.0'),
      { kind: 'symlink', path: 'swapped/node_modules', target: '../srv/node_modules' },
    ];
    const inventory = await take([lower, upper]);
    assert.deepEqual(
      inventory.packages.filter(({ type }) => type !== 'deb').map(({ name }) => name),
      ['b', 'e'],
    );
  });

  it('leaves out what an operating system package owns, in whatever layer its list lies', async () => {
    const files = [
      npmItem('usr/share', 'owned', '1.0.0'),
      npmItem('usr/share', 'free', '1.0.0'),
      pythonItem('usr/lib/python3/dist-packages', 'owned-too', '1.0'),
      textFile('usr/share/java/owned.jar', 'PK'),
    ];
    const lists = [
      ...BASE,
      textFile(
        'var/lib/dpkg/info/n.list',
        '/.\n/usr/share/node_modules/owned/package.json\n/usr/share/java/owned.jar\n',
      ),
      textFile('var/lib/dpkg/info/p:all.list', '/lib/python3/dist-packages/owned_too-1.0.dist-info/METADATA\n'),
    ];
    for (const order of [
      [files, lists],
      [lists, files],
    ]) {
      const inventory = await take(order);
      assert.deepEqual(
        inventory.packages.filter(({ type }) => type !== 'deb').map(({ name }) => name),
        ['free'],
      );
      assert.equal(inventory.owned, 2);
      assert.equal(inventory.complete, true);
    }
  });

  it('lists a package once, with all its places and declared licences', async () => {
    const inventory = await take([
      [npmItem('b', 'x', '1.0.0', { license: 'MIT' })],
      [npmItem('a', 'x', '1.0.0', { license: 'ISC' })],
    ]);
    assert.equal(inventory.packages.length, 1);
    assert.deepEqual(inventory.packages[0]?.paths, ['a/node_modules/x/package.json', 'b/node_modules/x/package.json']);
    assert.deepEqual(inventory.packages[0]?.licenses, ['ISC', 'MIT']);
    assert.equal(inventory.packages[0]?.layer, inventory.layers[0]?.digest);
  });

  it('follows hard links out of a content store', async () => {
    const manifest = '{"name":"linked","version":"3.0.0"}';
    const inventory = await take([
      [
        textFile('store/files/ab/cdef', manifest),
        { kind: 'hard-link', path: 'srv/node_modules/linked/package.json', target: 'store/files/ab/cdef' },
      ],
    ]);
    assert.deepEqual(purls(inventory), ['pkg:npm/linked@3.0.0']);
  });

  it('reads the distroless form of the database', async () => {
    const inventory = await take([
      [
        textFile('etc/os-release', DEBIAN_RELEASE),
        textFile('var/lib/dpkg/status.d/tzdata', 'Package: tzdata\nVersion: 2024a-0\nArchitecture: all\n'),
        textFile('var/lib/dpkg/status.d/tzdata.md5sums', `${'0'.repeat(32)}  usr/share/x.jar\n`),
        textFile('usr/share/x.jar', 'PK'),
      ],
    ]);
    assert.deepEqual(purls(inventory), ['pkg:deb/debian/tzdata@2024a-0?arch=all&distro=debian-12']);
    assert.equal(inventory.complete, true);
  });

  it('calls itself incomplete for evidence that it does not read', async () => {
    const inventory = await take([[...BASE, textFile('opt/b.jar', 'PK'), textFile('opt/a.jar', 'PK')]]);
    assert.equal(inventory.complete, false);
    assert.deepEqual(inventory.gaps, ['Java archives are not read: 2, such as opt/a.jar']);
    refuseSilentZero(inventory);
  });
});

describe('silent zero', () => {
  const release = (id: string) => textFile('etc/os-release', `ID=${id}\nNAME="${id} Linux"\n`);

  for (const id of ['debian', 'ubuntu', 'alpine', 'rocky', 'fedora', 'arch', 'wolfi']) {
    it(`is refused for ${id}`, async () => {
      const inventory = await take([[release(id), npmItem('srv', 'a', '1.0.0')]]);
      assert.equal(inventory.complete, false);
      assert.equal(inventory.packages.length, 1);
      assert.ok(inventory.gaps.some((gap) => gap.includes(`${id} Linux`)));
      assert.throws(
        () => refuseSilentZero(inventory),
        (error) => error instanceof AppError && error.code === 'sbom-empty',
      );
    });
  }

  it('is refused for a system that is like a known one', async () => {
    const inventory = await take([[textFile('usr/lib/os-release', 'ID=mylinux\nID_LIKE="other debian"\n')]]);
    assert.match(inventory.silentZero ?? '', /mylinux.*deb packages/);
  });

  it('is refused when the database was emptied or cannot be read', async () => {
    for (const items of [
      [textFile('var/lib/dpkg/status', '')],
      [textFile('var/lib/dpkg/.wh.status', '')],
      [textFile('var/lib/dpkg/status', 'Package: broken\n')],
    ]) {
      const inventory = await take([BASE, items]);
      assert.notEqual(inventory.silentZero, undefined);
    }
  });

  it('is no matter for an image without a system, or with one that has no packages by nature', async () => {
    for (const items of [[npmItem('srv', 'a', '1.0.0')], [release('buildroot')], []]) {
      const inventory = await take([items]);
      assert.equal(inventory.silentZero, undefined);
      assert.equal(inventory.complete, true);
      refuseSilentZero(inventory);
    }
  });
});

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
