import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '#model/media-types.ts';
import { createLayoutTarget } from '#oci/layout-directory.ts';
import { testReferrers } from '../../contracts/referrers.ts';
import { testTarget } from '../../contracts/target.ts';
import { listReferrers, pushReferrer } from '../../support/referrers.ts';

for (const contract of [testTarget, testReferrers]) {
  contract('layout directory', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'attestry-layout-'));
    return { target: createLayoutTarget(dir), dispose: () => rm(dir, { recursive: true }) };
  });
}

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

it('leaves what other tools wrote into the index as it is, and lists a referrer with its type', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-layout-'));
  t.after(() => rm(dir, { recursive: true }));
  const target = createLayoutTarget(dir);
  await target.pushBlob('app', Buffer.from('{}'), OCI_CONFIG);
  const foreign = `{"size": 1.2e1,"digest":"${sha256('foreign')}","mediaType":"${OCI_MANIFEST}","x-own":{"a":[1,"]"]},
    "platform":{"os":"linux","architecture":"arm64","os.version":"1"}}`;
  const index = `{"annotations":{"manifests":"[]"},"schemaVersion":2, "manifests":[ ${foreign} ] }`;
  await writeFile(join(dir, 'app/index.json'), index);
  const pushed = await pushReferrer(target, 'app', sha256('an image'), 'text');
  const written = await readFile(join(dir, 'app/index.json'), 'utf8');
  assert.ok(written.includes(foreign));
  assert.ok(written.startsWith('{"annotations":{"manifests":"[]"},"schemaVersion":2, "manifests":['));
  assert.equal(JSON.parse(written).manifests[1].artifactType, 'application/vnd.example.kind');
  const [listed] = await listReferrers(target, 'app', sha256('an image'));
  assert.equal(listed?.digest, pushed.digest);
  await target.deleteManifest('app', pushed.digest);
  assert.ok((await readFile(join(dir, 'app/index.json'), 'utf8')).includes(foreign));
});

it('finds referrers that only a fallback tag lists, and passes over what cannot be read', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-layout-'));
  t.after(() => rm(dir, { recursive: true }));
  const target = createLayoutTarget(dir);
  const subject = sha256('an image');
  const { digest, size, mediaType } = await pushReferrer(target, 'app', subject, 'carried over');
  await writeFile(join(dir, 'app/index.json'), JSON.stringify({ schemaVersion: 2, manifests: [] }));
  const junk = { schemaVersion: 2, mediaType: OCI_MANIFEST, subject: { digest: 'none' }, config: {}, layers: [] };
  const bad = await target.pushBlob('app', Buffer.from(JSON.stringify(junk)), OCI_MANIFEST);
  const gone = { mediaType: OCI_MANIFEST, digest: sha256('gone'), size: 3 };
  const list = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [gone, bad, { mediaType, digest, size }] };
  const { digest: tagged, size: length } = await target.pushBlob('app', Buffer.from(JSON.stringify(list)), OCI_INDEX);
  const annotations = { 'org.opencontainers.image.ref.name': subject.replace(':', '-') };
  const manifests = [{ mediaType: OCI_INDEX, digest: tagged, size: length, annotations }];
  await writeFile(join(dir, 'app/index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  assert.deepEqual(
    (await listReferrers(target, 'app', subject)).map((each) => each.digest),
    [digest],
  );
});

it('refuses repository names that would leave the directory', async () => {
  const target = createLayoutTarget('/nonexistent');
  await assert.rejects(target.manifest('../etc', 'v1'), { code: 'reference-invalid' });
  await assert.rejects(target.pushBlob('/abs', Buffer.from(''), 'text/plain'), { code: 'reference-invalid' });
});

function hex(digest: string): string {
  return digest.slice('sha256:'.length);
}
