import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type CopiedImage, copyImage } from '#copy/copy-image.ts';
import type { Place } from '#copy/place.ts';
import { digestTag } from '#model/digest.ts';
import { createLayoutTarget } from '#oci/layout-directory.ts';
import type { Target } from '#oci/target.ts';
import { attachedDigests, junkAttachment, overwriteAttached } from '../../support/attachments.ts';
import {
  copyPorts,
  type EvidencedImage,
  pair,
  place,
  pushEvidencedImage,
  pushTag,
} from '../../support/copied-evidence.ts';
import { listReferrers } from '../../support/referrers.ts';
import { type ReferrersRegistry, startReferrersRegistry } from '../../support/referrers-registry.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';

const TAG = '1.0';

describe('copying an image with all its evidence', () => {
  let plain: TestRegistry;
  let listing: ReferrersRegistry;
  let source: Target & AsyncDisposable;
  let destination: Target & AsyncDisposable;
  let image: EvidencedImage;

  before(async () => {
    [plain, listing] = await Promise.all([startRegistry(), startReferrersRegistry()]);
    source = connect(plain.url);
    destination = connect(listing.url);
    image = await pushEvidencedImage(source, 'team/app', TAG);
  });
  after(async () => {
    await source[Symbol.asyncDispose]();
    await destination[Symbol.asyncDispose]();
    await Promise.all([plain.stop(), listing[Symbol.asyncDispose]()]);
  });

  function from(): Place {
    return place(source, 'plain.test', 'team/app');
  }

  async function copy(to: Place, origin = from(), more: { tag?: string; dryRun?: boolean } = {}): Promise<CopiedImage> {
    const { tag = TAG, dryRun = false } = more;
    return await copyImage({ reference: TAG, pairs: pair(origin, to), tag, dryRun }, copyPorts());
  }

  async function assertWhole(to: Place, expected = image): Promise<void> {
    const { target, repository } = to;
    assert.equal((await target.resolve(repository, TAG)).digest, expected.digest);
    for (const digest of expected.manifests) {
      const [here, there] = [await source.manifest('team/app', digest), await target.manifest(repository, digest)];
      assert.deepEqual(Buffer.from(there.bytes), Buffer.from(here.bytes));
    }
    for (const { subject, digest } of expected.referrers) {
      const listed = await listReferrers(target, repository, subject);
      assert.deepEqual(
        listed.map((each) => each.digest),
        [digest],
      );
    }
    for (const tag of expected.cosignTags) {
      const there = await target.manifest(repository, tag);
      assert.equal(there.descriptor.digest, (await source.resolve('team/app', tag)).digest, tag);
    }
  }

  it('carries platforms, the builder’s attestations, both layouts and referrers of referrers', async () => {
    const to = place(destination, 'listing.test', 'mirror/app');
    const copied = await copy(to);
    assert.deepEqual(copied, {
      digest: image.digest,
      state: 'copied',
      manifests: 4,
      referrers: 3,
      tags: 4,
      merged: [],
      missing: [],
      lost: [],
    });
    await assertWhole(to);
  });

  it('carries back from the referrers API to the fallback tag, and through a folder', async () => {
    const back = place(source, 'plain.test', 'returned/app');
    await copy(back, place(destination, 'listing.test', 'mirror/app'));
    await assertWhole(back);
    const folder = await mkdtemp(join(tmpdir(), 'attestry-copy-'));
    try {
      const layout = place(createLayoutTarget(folder), folder, 'app');
      await copy(layout, back);
      await assertWhole(layout);
      const out = place(destination, 'listing.test', 'from-folder/app');
      await copy(out, layout);
      await assertWhole(out);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('writes nothing when all is there', async () => {
    const to = place(destination, 'listing.test', 'twice/app');
    await copy(to);
    const before = listing.requests.length;
    assert.equal((await copy(to)).state, 'present');
    const writes = listing.requests.slice(before).filter((line) => /^(?:PUT|POST|PATCH|DELETE) /.test(line));
    assert.deepEqual(writes, []);
  });

  it('says what it would bring, and brings nothing', async () => {
    const to = place(destination, 'listing.test', 'dry/app');
    const planned = await copy(to, from(), { dryRun: true });
    assert.equal(planned.state, 'planned');
    // Every manifest, every layer of cosign's tags, and the tag.
    assert.equal(planned.missing.length, 7 + 5 + 1);
    await assert.rejects(destination.resolve('dry/app', TAG));
  });

  it('mounts blobs from another repository of the same registry', async () => {
    const ports = copyPorts();
    const to = place(source, 'plain.test', 'promoted/app');
    await copyImage({ reference: TAG, pairs: pair(from(), to), tag: TAG, dryRun: false }, ports);
    await assertWhole(to);
    assert.equal(ports.carrier.moved.blobs, 0);
    assert.ok(ports.carrier.moved.mounted > 0);
  });

  it('joins its evidence with what stands at the destination', async () => {
    const to = place(destination, 'listing.test', 'joined/app');
    const theirs = junkAttachment('of the destination');
    await overwriteAttached(destination, 'joined/app', image.digest, [theirs, junkAttachment('shared')]);
    const copied = await copy(to);
    const tag = digestTag(image.digest, '.att');
    assert.deepEqual(copied.merged, [`listing.test/joined/app:${tag}`]);
    assert.deepEqual(copied.missing, []);
    const ours = await attachedDigests(source, 'team/app', image.digest);
    const expected = new Set([theirs.descriptor.digest, ...ours]);
    assert.deepEqual(new Set(await attachedDigests(destination, 'joined/app', image.digest)), expected);
    assert.equal((await copy(to)).state, 'present');
  });

  it('takes the source’s manifest as it is when the destination holds a part of it', async () => {
    const to = place(destination, 'listing.test', 'older/app');
    await overwriteAttached(destination, 'older/app', image.digest, [junkAttachment('shared')]);
    assert.deepEqual((await copy(to)).merged, []);
    await assertWhole(to);
  });

  it('loses nothing of a writer that comes between looking and writing', async () => {
    const to = place(destination, 'listing.test', 'raced/app');
    const tag = digestTag(image.digest, '.att');
    const theirs = junkAttachment('came in between');
    // The writer looks twice before it writes: the other one comes after the first look.
    listing.before(new RegExp(`GET .*/raced/app/manifests/${tag}`), () => {
      listing.before(new RegExp(`GET .*/raced/app/manifests/${tag}`), () =>
        overwriteAttached(destination, 'raced/app', image.digest, [theirs]).then(() => {}),
      );
    });
    const copied = await copy(to);
    assert.equal(copied.missing.length, 0);
    const there = new Set(await attachedDigests(destination, 'raced/app', image.digest));
    assert.ok(there.has(theirs.descriptor.digest));
    assert.equal(there.size, 3);
  });

  it('never overwrites an unsigned SBOM of the destination', async () => {
    const to = place(destination, 'listing.test', 'sbom/app');
    const tag = image.cosignTags.find((each) => each.endsWith('.sbom')) ?? '';
    const theirs = await pushTag(destination, 'sbom/app', tag, [junkAttachment('another SBOM')]);
    const copied = await copy(to);
    assert.equal(copied.state, 'incomplete');
    assert.match(copied.missing.join('\n'), /\.sbom: the layer sha256:/);
    assert.equal((await destination.resolve('sbom/app', tag)).digest, theirs);
  });

  it('brings the layers that there still are, and tells which the source lost', async () => {
    const origin = place(destination, 'listing.test', 'lossy/app');
    await copy(origin);
    const gone = junkAttachment('att of 1.0').descriptor.digest;
    listing.store.dropBlob('lossy/app', gone);
    const to = place(source, 'plain.test', 'lossy/app');
    const copied = await copy(to, origin);
    assert.equal(copied.state, 'copied');
    assert.match(copied.lost.join('\n'), new RegExp(gone));
    const kept = junkAttachment('shared').descriptor.digest;
    assert.deepEqual(await attachedDigests(source, 'lossy/app', image.digest), [kept]);
  });
});
