import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '#model/media-types.ts';
import { createLayoutTarget } from '#oci/layout-directory.ts';
import { testTarget } from '../../contracts/target.ts';

testTarget('layout directory', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-layout-'));
  return { target: createLayoutTarget(dir), dispose: () => rm(dir, { recursive: true }) };
});

it('writes an image layout that other tools read', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-layout-'));
  t.after(() => rm(dir, { recursive: true }));
  const target = createLayoutTarget(dir);
  const config = await target.pushBlob('app', Buffer.from('{}'), OCI_CONFIG);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }));
  const { digest, size } = await target.pushManifest('app', 'v1', bytes, OCI_MANIFEST);
  assert.deepEqual(JSON.parse(await readFile(join(dir, 'app/oci-layout'), 'utf8')), { imageLayoutVersion: '1.0.0' });
  assert.deepEqual(JSON.parse(await readFile(join(dir, 'app/index.json'), 'utf8')), {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [{ mediaType: OCI_MANIFEST, digest, size, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }],
  });
  assert.deepEqual((await readdir(join(dir, 'app/blobs/sha256'))).sort(), [config.digest, digest].map(hex).sort());
});

it('notices a blob that was changed on disk, and a manifest too', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-layout-'));
  t.after(() => rm(dir, { recursive: true }));
  const target = createLayoutTarget(dir);
  const config = await target.pushBlob('app', Buffer.from('{}'), OCI_CONFIG);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }));
  const { digest } = await target.pushManifest('app', 'v1', bytes, OCI_MANIFEST);
  await writeFile(join(dir, 'app/blobs/sha256', hex(config.digest)), '[]');
  await writeFile(join(dir, 'app/blobs/sha256', hex(digest)), bytes.toString().replace('2', '3'));
  const read = async () => {
    for await (const _ of await target.blob('app', config));
  };
  await assert.rejects(read, { code: 'digest-mismatch' });
  await assert.rejects(target.manifest('app', 'v1'), { code: 'digest-mismatch' });
});

it('reads a child that only its index names', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-layout-'));
  t.after(() => rm(dir, { recursive: true }));
  const target = createLayoutTarget(dir);
  const config = await target.pushBlob('app', Buffer.from('{}'), OCI_CONFIG);
  const child = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }));
  await target.pushBlob('app', child, OCI_MANIFEST);
  const stored = await target.manifest('app', sha256(child));
  assert.equal(stored.descriptor.mediaType, OCI_MANIFEST);
});

it('refuses repository names that would leave the directory', async () => {
  const target = createLayoutTarget('/nonexistent');
  await assert.rejects(target.manifest('../etc', 'v1'), { code: 'reference-invalid' });
  await assert.rejects(target.pushBlob('/abs', Buffer.from(''), 'text/plain'), { code: 'reference-invalid' });
});

function hex(digest: string): string {
  return digest.slice('sha256:'.length);
}
