import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { type Digest, sha256 } from '#model/digest.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
import { DSSE_ENVELOPE, OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '#model/media-types.ts';
import { parseManifest } from '#oci/manifest.ts';
import type { Target } from '#oci/target.ts';

export interface TargetUnderTest {
  readonly target: Target;
  dispose(): Promise<void>;
}

const REPOSITORY = 'team/app';
const ABSENT: Digest = `sha256:${'0'.repeat(64)}`;

/** What every `Target` does: the same suite for registry, layout directory and memory. */
export function testTarget(name: string, open: () => Promise<TargetUnderTest>): void {
  describe(`target contract: ${name}`, () => {
    let target: Target;
    let dispose: () => Promise<void>;

    before(async () => {
      ({ target, dispose } = await open());
    });
    after(() => dispose());

    it('gives back a blob as it was pushed', async () => {
      const bytes = randomBytes(300_000);
      const descriptor = await target.pushBlob(REPOSITORY, bytes, OCI_LAYER_GZIP);
      assert.deepEqual(descriptor, { mediaType: OCI_LAYER_GZIP, digest: sha256(bytes), size: 300_000 });
      assert.equal(await target.hasBlob(REPOSITORY, descriptor.digest), true);
      assert.deepEqual(await collect(target, descriptor), bytes);
    });

    it('takes the same blob twice, and an empty one', async () => {
      const empty = new Uint8Array();
      await target.pushBlob(REPOSITORY, empty, DSSE_ENVELOPE);
      const again = await target.pushBlob(REPOSITORY, empty, DSSE_ENVELOPE);
      assert.deepEqual(await collect(target, again), Buffer.alloc(0));
    });

    it('keeps blobs of one repository out of another', async () => {
      const { digest } = await target.pushBlob(REPOSITORY, Buffer.from('here alone'), DSSE_ENVELOPE);
      assert.equal(await target.hasBlob('team/other', digest), false);
    });

    it('takes a blob as a stream, and refuses bytes that are not those of its descriptor', async () => {
      const bytes = randomBytes(300_000);
      const descriptor = { digest: sha256(bytes), size: bytes.byteLength };
      await target.takeBlob(REPOSITORY, descriptor, async () => streamOf(bytes));
      assert.deepEqual(await collect(target, descriptor), bytes);
      const lies = { digest: sha256('another'), size: 7 };
      await assert.rejects(() => target.takeBlob(REPOSITORY, lies, async () => streamOf(Buffer.from('content'))));
      await assert.rejects(() => target.takeBlob(REPOSITORY, lies, async () => streamOf(Buffer.from('short'))));
      assert.equal(await target.hasBlob(REPOSITORY, lies.digest), false);
    });

    it('lists a blob of one repository in another', async () => {
      const { digest, size } = await target.pushBlob('team/source', Buffer.from('shared'), DSSE_ENVELOPE);
      assert.equal(await target.mountBlob(REPOSITORY, digest, 'team/source'), true);
      assert.deepEqual(await collect(target, { digest, size }), Buffer.from('shared'));
      assert.equal(await target.mountBlob(REPOSITORY, ABSENT, 'team/source'), false);
      assert.equal(await target.hasBlob(REPOSITORY, ABSENT), false);
    });

    it('says not-found of what is not there', async () => {
      await rejects('not-found', () => target.resolve(REPOSITORY, 'absent'));
      await rejects('not-found', () => target.manifest(REPOSITORY, 'absent'));
      await rejects('not-found', () => target.manifest(REPOSITORY, ABSENT));
      await rejects('not-found', () => target.manifest('no/such/repository', 'latest'));
      await rejects('not-found', () => target.blob(REPOSITORY, { digest: ABSENT, size: 1 }));
      await rejects('not-found', () => target.deleteManifest(REPOSITORY, ABSENT));
      assert.equal(await target.hasBlob(REPOSITORY, ABSENT), false);
    });

    it('ends a blob in an error when its descriptor says another size', async () => {
      const { digest, size } = await target.pushBlob(REPOSITORY, Buffer.from('exactly so'), DSSE_ENVELOPE);
      await rejects('layer-corrupt', () => collect(target, { digest, size: size + 1 }));
      await rejects('too-large', () => collect(target, { digest, size: size - 1 }));
    });

    it('resolves a pushed manifest by tag and by digest to the same bytes', async () => {
      const image = await imageBytes(target, 'first');
      const pushed = await target.pushManifest(REPOSITORY, 'v1', image, OCI_MANIFEST);
      assert.deepEqual(pushed, { mediaType: OCI_MANIFEST, digest: sha256(image), size: image.byteLength });
      assert.deepEqual(await target.resolve(REPOSITORY, 'v1'), pushed);
      assert.deepEqual(await target.resolve(REPOSITORY, pushed.digest), pushed);
      const stored = await target.manifest(REPOSITORY, 'v1');
      assert.deepEqual(Buffer.from(stored.bytes), image);
      assert.deepEqual(stored.descriptor, pushed);
      assert.equal(parseManifest(stored).kind, 'manifest');
    });

    it('moves a tag, and keeps what it named before by digest', async () => {
      const old = await target.pushManifest(REPOSITORY, 'moving', await imageBytes(target, 'old'), OCI_MANIFEST);
      const next = await target.pushManifest(REPOSITORY, 'moving', await imageBytes(target, 'new'), OCI_MANIFEST);
      assert.equal((await target.resolve(REPOSITORY, 'moving')).digest, next.digest);
      assert.equal((await target.resolve(REPOSITORY, old.digest)).digest, old.digest);
    });

    it('stores an index whose children came before it', async () => {
      const image = await imageBytes(target, 'child');
      const child = await target.pushManifest(REPOSITORY, sha256(image), image, OCI_MANIFEST);
      const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };
      const index = encode({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ ...child, platform }] });
      const pushed = await target.pushManifest(REPOSITORY, 'multi', index, OCI_INDEX);
      const parsed = parseManifest(await target.manifest(REPOSITORY, pushed.digest));
      assert.equal(parsed.kind, 'index');
      assert.deepEqual(parsed.kind === 'index' && parsed.manifests, [{ ...child, platform }]);
    });

    it('refuses a manifest whose layers were never pushed', async () => {
      const config = await target.pushBlob(REPOSITORY, Buffer.from('{}'), OCI_CONFIG);
      const layer = { mediaType: OCI_LAYER_GZIP, digest: ABSENT, size: 3 };
      const bytes = encode({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] });
      await rejects('not-found', () => target.pushManifest(REPOSITORY, 'dangling', bytes, OCI_MANIFEST));
      await rejects('not-found', () => target.resolve(REPOSITORY, 'dangling'));
    });

    it('refuses to store a manifest under the digest of another', async () => {
      const image = await imageBytes(target, 'mine');
      await rejects('digest-mismatch', () => target.pushManifest(REPOSITORY, ABSENT, image, OCI_MANIFEST));
    });

    it('refuses a manifest over 4 MiB', async () => {
      const bytes = new Uint8Array(4 * 1024 * 1024 + 1);
      await rejects('too-large', () => target.pushManifest(REPOSITORY, 'huge', bytes, OCI_MANIFEST));
    });

    it('deletes a manifest with its tags', async () => {
      const image = await imageBytes(target, 'short-lived', 'team/deleted');
      const { digest } = await target.pushManifest('team/deleted', 'gone', image, OCI_MANIFEST);
      await target.deleteManifest('team/deleted', digest);
      await rejects('not-found', () => target.resolve('team/deleted', 'gone'));
      await rejects('not-found', () => target.manifest('team/deleted', digest));
      assert.deepEqual(await tagsOf(target, 'team/deleted'), []);
    });

    it('lists tags, and none for a repository that does not exist', async () => {
      const image = await imageBytes(target, 'tagged', 'team/tags');
      for (const tag of ['a', 'b', 'sha256-0.att']) await target.pushManifest('team/tags', tag, image, OCI_MANIFEST);
      assert.deepEqual((await tagsOf(target, 'team/tags')).sort(), ['a', 'b', 'sha256-0.att']);
      assert.deepEqual(await tagsOf(target, 'no/such/repository'), []);
    });

    it('loses none of many tags written at once', async () => {
      const image = await imageBytes(target, 'crowd', 'team/crowd');
      const wanted = Array.from({ length: 12 }, (_, at) => `t${at}`).sort();
      await Promise.all(wanted.map((tag) => target.pushManifest('team/crowd', tag, image, OCI_MANIFEST)));
      assert.deepEqual((await tagsOf(target, 'team/crowd')).sort(), wanted);
    });
  });
}

/** An image manifest of one layer, both already pushed. */
async function imageBytes(target: Target, content: string, repository = REPOSITORY): Promise<Buffer> {
  const layer = await target.pushBlob(repository, Buffer.from(content), OCI_LAYER_GZIP);
  const config = await target.pushBlob(repository, encode({ os: 'linux', content }), OCI_CONFIG);
  return encode({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] });
}

function streamOf(bytes: Uint8Array): Readable {
  return Readable.from([bytes], { objectMode: false });
}

async function collect(target: Target, descriptor: { digest: Digest; size: number }): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await target.blob(REPOSITORY, descriptor)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function tagsOf(target: Target, repository: string): Promise<string[]> {
  const tags: string[] = [];
  for await (const tag of target.tags(repository)) tags.push(tag);
  return tags;
}

async function rejects(code: ErrorCode, work: () => Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}

function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
