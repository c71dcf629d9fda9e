import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TarItem } from '#cli/demo/tar-writer.ts';
import { refuseSilentZero } from '#sbom/inventory.ts';
import { DEBIAN_RELEASE, debianItems, dpkgStatus, npmItem, pythonItem, textFile } from '../../support/image.ts';
import { purls, take } from '../../support/inventory.ts';

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
