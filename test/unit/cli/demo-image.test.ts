import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { buildDemoImage } from '#cli/demo/image-builder.ts';
import { pushImage } from '#cli/demo/push-image.ts';
import { resolveSubject } from '#engine/resolve.ts';
import { OCI_LAYER_GZIP } from '#model/media-types.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import { takeInventory } from '#sbom/take-inventory.ts';
import { fails } from '../../support/failure.ts';
import { DEBIAN_RELEASE, dpkgStatus } from '../../support/image.ts';

describe('demonstration image', () => {
  let machine: string;

  before(async () => {
    machine = await mkdtemp(path.join(tmpdir(), 'attestry-demo-'));
    await write('etc/os-release', DEBIAN_RELEASE);
    const status = [dpkgStatus({ libc6: '2.36' }), dpkgStatus({ tzdata: '2024a' }, 'all')].join('\n');
    await write('var/lib/dpkg/status', status);
    await write('var/lib/dpkg/info/libc6:amd64.list', '/.\n/lib\n');
    await write('var/lib/dpkg/info/tzdata.list', '/.\n/usr\n');
    await write('app/package.json', '{"name":"app","version":"1.0.0"}');
    await write('app/node_modules/left-pad/package.json', '{"name":"left-pad","version":"1.3.0"}');
    await write('app/node_modules/left-pad/index.js', 'module.exports = 1;\n');
    await write('app/secrets.txt', 'not for an image');
  });
  after(() => rm(machine, { recursive: true }));

  async function write(name: string, text: string): Promise<void> {
    await mkdir(path.join(machine, path.dirname(name)), { recursive: true });
    await writeFile(path.join(machine, name), text);
  }

  it('has a platform with all packages, and one with those of any architecture', async () => {
    const source = { root: machine, application: path.join(machine, 'app') };
    const image = await buildDemoImage(source);
    assert.equal((await buildDemoImage(source)).root.descriptor.digest, image.root.descriptor.digest);
    const target = createMemoryTarget();
    await pushImage(target, 'demo/app', 'v1', image);
    const subject = await resolveSubject(target, { registry: 'localhost', repository: 'demo/app', tag: 'v1' });
    const found = [];
    for (const { layers } of subject.platforms) {
      const { packages } = await takeInventory({ source: target, repository: 'demo/app', layers });
      found.push(packages.map(({ name }) => name));
    }
    assert.deepEqual(found, [
      ['libc6', 'tzdata', 'app', 'left-pad'],
      ['tzdata', 'app', 'left-pad'],
    ]);
    const archives = image.blobs
      .filter(({ descriptor }) => descriptor.mediaType === OCI_LAYER_GZIP)
      .map(({ bytes }) => gunzipSync(bytes).toString('latin1'))
      .join();
    assert.match(archives, /left-pad\/index\.js/);
    assert.doesNotMatch(archives, /secrets/);
  });

  it('is refused with a mend where there is nothing to build it from', async () => {
    const application = path.join(machine, 'app');
    await fails('config-invalid', buildDemoImage({ root: application, application }));
    await fails('config-invalid', buildDemoImage({ root: machine, application: path.join(machine, 'etc') }));
  });
});
