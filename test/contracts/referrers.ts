import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import { OCI_EMPTY, OCI_MANIFEST } from '#model/media-types.ts';
import type { Target } from '#oci/target.ts';
import { listReferrers, pushReferrer, referrerBytes } from '../support/referrers.ts';
import type { TargetUnderTest } from './target.ts';

const REPOSITORY = 'team/referrers';

/** What every `Target` does with manifests that name a subject, however its store lists them. */
export function testReferrers(name: string, open: () => Promise<TargetUnderTest>): void {
  describe(`referrers contract: ${name}`, () => {
    let target: Target;
    let dispose: () => Promise<void>;

    before(async () => {
      ({ target, dispose } = await open());
    });
    after(() => dispose());

    const push = (subject: Digest, text: string) => pushReferrer(target, REPOSITORY, subject, text);
    const list = (subject: Digest) => listReferrers(target, REPOSITORY, subject);

    it('lists none where there are none, and none in a repository that does not exist', async () => {
      assert.deepEqual(await list(sha256('nobody refers to this')), []);
      assert.deepEqual(await listReferrers(target, 'no/such/repository', sha256('nor to this')), []);
    });

    it('lists what was pushed with its type and annotations, whether or not the subject is there', async () => {
      const subject = sha256('an image that is elsewhere');
      const first = await push(subject, 'first');
      const second = await push(subject, 'second');
      const listed = await list(subject);
      assert.deepEqual(sortedDigests(listed), sortedDigests([first, second]));
      for (const { artifactType, annotations, mediaType } of listed) {
        assert.equal(mediaType, OCI_MANIFEST);
        assert.equal(artifactType, 'application/vnd.example.kind');
        assert.match(annotations?.['org.example.text'] ?? '', /^(?:first|second)$/);
      }
      assert.deepEqual(await list(sha256('another image')), []);
    });

    it('lists the same manifest once, and one with a tag as well', async () => {
      const subject = sha256('listed once');
      const { digest } = await push(subject, 'twice');
      await push(subject, 'twice');
      const { bytes } = await referrerBytes(target, REPOSITORY, subject, 'tagged');
      await target.pushManifest(REPOSITORY, 'a-tag', bytes, OCI_MANIFEST);
      assert.deepEqual((await list(subject)).map((each) => each.digest).sort(), [digest, sha256(bytes)].sort());
    });

    it('tells the type of a manifest without one by its config', async () => {
      const subject = sha256('typed by its config');
      const config = await target.pushBlob(REPOSITORY, Buffer.from('{"a":1}'), 'application/vnd.example.config');
      const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [], subject: subjectOf(subject) };
      const bytes = Buffer.from(JSON.stringify(manifest));
      await target.pushManifest(REPOSITORY, sha256(bytes), bytes, OCI_MANIFEST);
      assert.deepEqual(
        (await list(subject)).map(({ artifactType }) => artifactType),
        ['application/vnd.example.config'],
      );
    });

    it('lists no more what was deleted, and still lists the others', async () => {
      const subject = sha256('one goes, one stays');
      const goes = await push(subject, 'goes');
      const stays = await push(subject, 'stays');
      await target.deleteManifest(REPOSITORY, goes.digest);
      assert.deepEqual(sortedDigests(await list(subject)), [stays.digest]);
      await assert.rejects(target.manifest(REPOSITORY, goes.digest), { code: 'not-found' });
      await target.deleteManifest(REPOSITORY, stays.digest);
      assert.deepEqual(await list(subject), []);
    });

    it('tells what it can do', async () => {
      const { referrers, deletes } = await target.capabilities(REPOSITORY);
      assert.match(referrers ?? 'unknown', /^(?:api|tag)$/);
      assert.equal(deletes, true);
    });

    it('takes an artifact with the empty config', async () => {
      const subject = sha256('an artifact');
      const config = await target.pushBlob(REPOSITORY, Buffer.from('{}'), OCI_EMPTY);
      assert.equal(await target.hasBlob(REPOSITORY, config.digest), true);
      await push(subject, 'with the empty config');
      assert.equal((await list(subject)).length, 1);
    });
  });
}

function subjectOf(digest: Digest): Descriptor {
  return { mediaType: OCI_MANIFEST, digest, size: 100 };
}

function sortedDigests(descriptors: readonly Descriptor[]): readonly Digest[] {
  return descriptors.map(({ digest }) => digest).sort();
}
