import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppError } from '#model/errors.ts';
import { refuseSilentZero } from '#sbom/inventory.ts';
import { debianItems, npmItem, textFile } from '../../support/image.ts';
import { take } from '../../support/inventory.ts';

const BASE = debianItems({ 'base-files': '12.4', libc6: '2.36-9' });

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
