import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Digest, digestTag, sha256 } from '#model/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '#model/media-types.ts';
import { listReferrers, pushReferrer, referrerBytes } from '../../support/referrers.ts';
import { startReferrersRegistry } from '../../support/referrers-registry.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { startRegistryProxy } from '../../support/registry-proxy.ts';
import { connect } from '../../support/registry-target.ts';

const REPOSITORY = 'team/app';
const NO_API = { status: 404, code: 'UNSUPPORTED', message: 'no referrers here' } as const;

describe('the index at the fallback tag, on a registry without the referrers API', () => {
  let registry: TestRegistry;

  before(async () => {
    registry = await startRegistry();
  });
  after(() => registry.stop());

  const indexText = async (subject: Digest): Promise<string> => {
    await using target = connect(registry.url);
    return new TextDecoder().decode((await target.manifest(REPOSITORY, digestTag(subject))).bytes);
  };

  test('names type and annotations, since verifiers select by them', async () => {
    await using target = connect(registry.url);
    const subject = sha256('selected');
    const { digest, size } = await pushReferrer(target, REPOSITORY, subject, 'text');
    assert.deepEqual(JSON.parse(await indexText(subject)), {
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [
        {
          mediaType: OCI_MANIFEST,
          digest,
          size,
          artifactType: 'application/vnd.example.kind',
          annotations: { 'org.example.text': 'text' },
        },
      ],
    });
  });

  test('lists several in one write, which names what it comes in place of', async () => {
    await using target = connect(registry.url);
    const subject = sha256('several');
    const before = await pushReferrer(target, REPOSITORY, subject, 'before');
    const standing = await target.resolve(REPOSITORY, digestTag(subject));
    const stored = await Promise.all(
      ['one', 'two'].map(async (text) => {
        const { bytes } = await referrerBytes(target, REPOSITORY, subject, text);
        const descriptor = await target.pushManifest(
          REPOSITORY,
          sha256(bytes),
          bytes,
          OCI_MANIFEST,
          undefined,
          'later',
        );
        return { descriptor, bytes };
      }),
    );
    assert.equal((await listReferrers(target, REPOSITORY, subject)).length, 1);
    const elsewhere = await referrerBytes(target, REPOSITORY, sha256('another subject'), 'three');
    const other = await target.pushManifest(
      REPOSITORY,
      sha256(elsewhere.bytes),
      elsewhere.bytes,
      OCI_MANIFEST,
      undefined,
      'later',
    );
    const writes: unknown[] = [];
    const all = [...stored, { descriptor: other, bytes: elsewhere.bytes }];
    await target.listReferrers(REPOSITORY, subject, all, undefined, async (index, over) => {
      writes.push([index, over]);
    });
    const listed = (await listReferrers(target, REPOSITORY, subject)).map(({ digest }) => digest);
    assert.deepEqual(listed, [before.digest, ...stored.map(({ descriptor }) => descriptor.digest)]);
    assert.deepEqual(writes, [[(await target.resolve(REPOSITORY, digestTag(subject))).digest, standing.digest]]);
    await target.listReferrers(REPOSITORY, subject, stored, undefined, async () =>
      assert.fail('nothing is to be written'),
    );
  });

  test('keeps the entries of others byte for byte, and mends an entry of ours that lacks its type', async () => {
    await using target = connect(registry.url);
    const subject = sha256('shared with others');
    const foreign = await pushReferrer(target, REPOSITORY, sha256('a'), 'foreign');
    const ours = await pushReferrer(target, REPOSITORY, sha256('b'), 'ours');
    const entry = `{ "size": ${foreign.size}, "digest":"${foreign.digest}","mediaType":"${OCI_MANIFEST}","x":[1.0]}`;
    const bare = JSON.stringify({ mediaType: OCI_MANIFEST, digest: ours.digest, size: ours.size, artifactType: 'x/y' });
    const text = `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[${bare},${entry}],"annotations":{"k":"v"}}`;
    await target.pushManifest(REPOSITORY, digestTag(subject), Buffer.from(text), OCI_INDEX);
    const { config, layers } = JSON.parse(
      new TextDecoder().decode((await target.manifest(REPOSITORY, ours.digest)).bytes),
    );
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: 'own/type', config, layers };
    const again = Buffer.from(
      JSON.stringify({ ...manifest, subject: { mediaType: OCI_MANIFEST, digest: subject, size: 1 } }),
    );
    await target.pushManifest(REPOSITORY, sha256(again), again, OCI_MANIFEST);
    const after = await indexText(subject);
    assert.ok(after.includes(bare) && after.includes(entry) && after.endsWith('],"annotations":{"k":"v"}}'));
    // Pushed again with the type that its entry lacks: one entry, with the type.
    const lacking = after.replace(',"artifactType":"own/type"', '');
    await target.pushManifest(REPOSITORY, digestTag(subject), Buffer.from(lacking), OCI_INDEX);
    await target.pushManifest(REPOSITORY, sha256(again), again, OCI_MANIFEST);
    assert.equal(await indexText(subject), after);
  });

  test('tells its digest before it is written, and is not written when that throws', async () => {
    await using target = connect(registry.url);
    const subject = sha256('guarded');
    await pushReferrer(target, REPOSITORY, subject, 'first');
    const before = await indexText(subject);
    const { bytes } = await referrerBytes(target, REPOSITORY, subject, 'second');
    const told: Digest[] = [];
    const refuse = async (index: Digest) => {
      told.push(index);
      throw new Error('the lease is gone');
    };
    await assert.rejects(
      target.pushManifest(REPOSITORY, sha256(bytes), bytes, OCI_MANIFEST, undefined, refuse),
      /the lease is gone/,
    );
    assert.equal(await indexText(subject), before);
    const note = async (index: Digest) => void told.push(index);
    await target.pushManifest(REPOSITORY, sha256(bytes), bytes, OCI_MANIFEST, undefined, note);
    assert.deepEqual(told, [sha256(await indexText(subject)), sha256(await indexText(subject))]);
    await target.deleteManifest(REPOSITORY, sha256(bytes), undefined, note);
    assert.equal(told[2], sha256(await indexText(subject)));
  });

  test('another writer between our read and our write loses nothing', async () => {
    await using proxy = await startRegistryProxy(registry.port);
    await using target = connect(new URL(`http://${proxy.host}/`));
    await using other = connect(registry.url);
    const subject = sha256('raced');
    await pushReferrer(other, REPOSITORY, subject, 'there before');
    const tag = digestTag(subject);
    let theirs: Digest | undefined;
    proxy.after(new RegExp(`^GET .*/manifests/${tag}$`), async () => {
      theirs = (await pushReferrer(other, REPOSITORY, subject, 'theirs')).digest;
      return undefined;
    });
    const ours = await pushReferrer(target, REPOSITORY, subject, 'ours');
    const listed = (await listReferrers(target, REPOSITORY, subject)).map(({ digest }) => digest);
    assert.equal(listed.length, 3);
    assert.ok(theirs !== undefined && listed.includes(theirs) && listed.includes(ours.digest));
  });

  test('a writer that overwrites ours with an old list is found by reading back', async () => {
    await using proxy = await startRegistryProxy(registry.port);
    await using target = connect(new URL(`http://${proxy.host}/`));
    await using other = connect(registry.url);
    const subject = sha256('overwritten');
    const tag = digestTag(subject);
    await pushReferrer(other, REPOSITORY, subject, 'there before');
    const old = Buffer.from(await indexText(subject));
    proxy.after(new RegExp(`^PUT .*/manifests/${tag}$`), async () => {
      await other.pushManifest(REPOSITORY, tag, old, OCI_INDEX);
      return undefined;
    });
    await pushReferrer(target, REPOSITORY, subject, 'ours');
    assert.equal((await listReferrers(target, REPOSITORY, subject)).length, 2);
    assert.equal(proxy.answered.filter((line) => line === `PUT /v2/${REPOSITORY}/manifests/${tag}`).length, 2);
  });

  test('writers that never stop overwriting it are a conflict', async () => {
    await using proxy = await startRegistryProxy(registry.port);
    await using target = connect(new URL(`http://${proxy.host}/`), { limits: { indexAttempts: 3 } });
    await using other = connect(registry.url);
    const subject = sha256('never ours');
    const tag = digestTag(subject);
    await pushReferrer(other, REPOSITORY, subject, 'there before');
    const old = Buffer.from(await indexText(subject));
    for (let at = 0; at < 3; at++) {
      proxy.after(new RegExp(`^PUT .*/manifests/${tag}$`), async () => {
        await other.pushManifest(REPOSITORY, tag, old, OCI_INDEX);
        return undefined;
      });
    }
    await assert.rejects(pushReferrer(target, REPOSITORY, subject, 'ours'), { code: 'write-conflict' });
  });

  test('an image at that tag is not overwritten', async () => {
    await using target = connect(registry.url);
    const subject = sha256('the tag is taken');
    const { bytes } = await referrerBytes(target, REPOSITORY, sha256('x'), 'an image');
    await target.pushManifest(REPOSITORY, digestTag(subject), bytes, OCI_MANIFEST);
    await assert.rejects(listReferrers(target, REPOSITORY, subject), { code: 'media-type-unsupported' });
    await assert.rejects(pushReferrer(target, REPOSITORY, subject, 'ours'), { code: 'media-type-unsupported' });
    assert.equal((await target.resolve(REPOSITORY, digestTag(subject))).digest, sha256(bytes));
  });

  test('what cannot be deleted is off the list all the same, and is known from then on', async () => {
    await using refusing = await startRegistry({ delete: false });
    await using target = connect(refusing.url);
    const subject = sha256('kept by the store');
    const { digest } = await pushReferrer(target, REPOSITORY, subject, 'stays');
    assert.equal((await target.capabilities(REPOSITORY)).deletes, undefined);
    await assert.rejects(target.deleteManifest(REPOSITORY, digest), { code: 'registry-refused' });
    assert.deepEqual(await listReferrers(target, REPOSITORY, subject), []);
    assert.deepEqual(await target.capabilities(REPOSITORY), { referrers: 'tag', deletes: false });
  });
});

describe('a registry that minds If-Match', () => {
  test('another writer in the last instant loses nothing', async () => {
    await using registry = await startReferrersRegistry({ referrers: NO_API, conditional: true });
    await using target = connect(registry.url);
    const subject = sha256('raced');
    await pushReferrer(target, REPOSITORY, subject, 'there before');
    const tag = digestTag(subject);
    registry.before(new RegExp(`^PUT .*/manifests/${tag}$`), async () => {
      await pushReferrer(target, REPOSITORY, subject, 'theirs');
    });
    await pushReferrer(target, REPOSITORY, subject, 'ours');
    const texts = (await listReferrers(target, REPOSITORY, subject)).map(({ annotations }) => annotations);
    assert.deepEqual(
      texts.map((each) => each?.['org.example.text']),
      ['there before', 'theirs', 'ours'],
    );
  });

  test('many writers at once are all listed', async () => {
    await using registry = await startReferrersRegistry({ referrers: NO_API, conditional: true });
    await using target = connect(registry.url);
    const subject = sha256('a crowd');
    await pushReferrer(target, REPOSITORY, subject, 'there before');
    const names = Array.from({ length: 6 }, (_, at) => `writer ${at}`);
    await Promise.all(names.map((name) => pushReferrer(target, REPOSITORY, subject, name)));
    const texts = (await listReferrers(target, REPOSITORY, subject)).map(({ annotations }) => annotations);
    assert.deepEqual(texts.map((each) => each?.['org.example.text']).sort(), ['there before', ...names].sort());
  });
});
