import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Digest, digestTag, sha256 } from '#model/digest.ts';
import type { Rule } from '#model/rule.ts';
import {
  type Attachment,
  appendAttached,
  attachedDigests,
  attestationTagOf,
  junkAttachment,
  overwriteAttached,
  readAttached,
} from '../../support/attachments.ts';
import { REGISTRY } from '../../support/installation.ts';
import { listReferrers, pushReferrer } from '../../support/referrers.ts';
import { doneOf, type JobGround, openJobGround, typesOf, type WatchedImage } from '../../support/watched-image.ts';

const theirs = junkAttachment('of another tool', { predicateType: 'https://example.com/theirs' });
const more = junkAttachment('and one more');

let ground: JobGround;

before(async () => {
  ground = await openJobGround();
});
after(() => ground.close());

interface Told extends WatchedImage {
  /** What the registry tells of a push to the attestation tag, or the one that is named. */
  tell(digest: Digest, tag?: string): Promise<void>;
  mend(): Promise<readonly string[]>;
  standing(): Promise<Digest>;
}

async function attested(name: string, rule: Partial<Rule> = {}): Promise<Told> {
  const image = await ground.watched(name, rule);
  const { repository, digest, ports } = image;
  const location = { registry: REGISTRY, repository, digest };
  await image.attest();
  await image.relay();
  let events = 0;
  return {
    ...image,
    async tell(pushed, tag = attestationTagOf(digest)) {
      events += 1;
      await ports.evidencePushes.note(location, tag, { id: `event-${events}`, digest: pushed });
    },
    async mend() {
      const report = doneOf(await image.run(image.job({ kind: 'mend', cause: 'evidence-pushed', image: location })));
      return report.evidence.map(({ predicateType, state }) => `${predicateType} ${state}`);
    },
    standing: async () => (await readAttached(ground.client, repository, digest)).digest,
  };
}

const attach = (image: Told, attachments: readonly Attachment[]) =>
  appendAttached(ground.client, image.repository, image.digest, attachments);
const overwrite = (image: Told, attachments: readonly Attachment[]) =>
  overwriteAttached(ground.client, image.repository, image.digest, attachments);
const attachedTo = (image: Told) => attachedDigests(ground.client, image.repository, image.digest);

/** A list of ours that is written in the instant after another writer's: it takes theirs off, and its own earlier piece. */
async function writeOver(
  image: Told,
): Promise<{ readonly before: Digest; readonly theirs: Digest; readonly ours: Digest }> {
  const before = await image.standing();
  let unseen = before;
  image.target.before('pushManifest', /\.att$/, async () => {
    unseen = await attach(image, [theirs]);
  });
  await image.attest({ force: true });
  await image.relay();
  return { before, theirs: unseen, ours: await image.standing() };
}

describe('what another writer took off', () => {
  test('ours is listed again as it was, told as lost and restored, and nothing is signed', async () => {
    const image = await attested('ours');
    const [ours] = await attachedTo(image);
    await image.tell(await overwrite(image, [theirs]));
    assert.deepEqual(await image.mend(), ['https://slsa.dev/provenance/v1 restored']);
    assert.deepEqual(await attachedTo(image), [theirs.descriptor.digest, ours]);
    assert.deepEqual(typesOf(await image.relay()), ['evidence.lost', 'evidence.restored']);
    assert.deepEqual(await image.mend(), []);
  });

  test('ours is left where the rule only alerts', async () => {
    const image = await attested('alert', { onLapse: 'alert' });
    await image.tell(await overwrite(image, [theirs]));
    assert.deepEqual(await image.mend(), []);
    assert.deepEqual(await attachedTo(image), [theirs.descriptor.digest]);
  });

  test('ours that the registry does not hold any more does not come back unsigned', async () => {
    const image = await attested('gone');
    await image.tell(await overwrite(image, [theirs]));
    const location = { registry: REGISTRY, repository: image.repository, digest: image.digest };
    const [entry] = await image.ports.engine.written.list(location);
    assert.ok(entry);
    const descriptor = { ...entry.descriptor, digest: sha256('a blob that is nowhere') };
    await image.ports.engine.written.replace(location, [{ ...entry, descriptor }]);
    assert.deepEqual(await image.mend(), []);
    assert.deepEqual(await attachedTo(image), [theirs.descriptor.digest]);
  });

  test('is found by the next verification, without any word of the registry', async () => {
    const image = await attested('scheduled', { policies: [] });
    const location = { registry: REGISTRY, repository: image.repository, digest: image.digest };
    const written = await image.ports.engine.written.list(location);
    // A second piece of ours that no policy asks for.
    const second = junkAttachment('handed in once');
    await attach(image, [second]);
    const recorded = { ...written[0], descriptor: second.descriptor, predicateType: 'https://example.com/handed-in' };
    await image.ports.engine.written.replace(location, [...written, recorded as (typeof written)[0]]);
    const { layers } = await readAttached(ground.client, image.repository, image.digest);
    await overwrite(image, [{ descriptor: layers[0] as (typeof layers)[0] }]);
    await image.verify();
    const [job, ...others] = image.enqueued;
    assert.deepEqual([job?.kind, job?.cause, others], ['mend', 'lapse', []]);
    assert.deepEqual(await image.mend(), ['https://example.com/handed-in restored']);
    image.enqueued.length = 0;
    await image.verify();
    assert.deepEqual(image.enqueued, []);
  });
});

test('what lapsed under one name is restored by the job of the lapse, whatever its other names say', async () => {
  const image = await attested('two-names');
  await image.loseEvidence();
  const location = { registry: REGISTRY, repository: image.repository, digest: image.digest };
  await image.run(image.job({ kind: 'verify', cause: 'demand', image: location }));
  assert.deepEqual(
    image.enqueued.map(({ kind, cause }) => [kind, cause]),
    [['attest', 'lapse']],
  );
});

describe('what our own writing took from others', () => {
  for (const [when, order] of [
    ['told in the order of the writing', ['before', 'theirs', 'ours']],
    ['told the other way round', ['before', 'ours', 'theirs']],
    ['told of theirs alone', ['theirs']],
  ] as const) {
    test(`is listed again, and what we replaced is not: ${when}`, async () => {
      const image = await attested(`over-${order.join('-')}`);
      const digests = await writeOver(image);
      const [ours] = await attachedTo(image);
      for (const which of order) await image.tell(digests[which]);
      assert.deepEqual(await image.mend(), ['https://example.com/theirs restored']);
      assert.deepEqual(await attachedTo(image), [ours, theirs.descriptor.digest]);
      assert.deepEqual(await image.mend(), []);
    });
  }

  test('stays away when its owner takes it away later', async () => {
    const image = await attested('withdrawn');
    const { before, theirs: unseen, ours } = await writeOver(image);
    for (const digest of [before, unseen, ours]) await image.tell(digest);
    await image.mend();
    await image.tell(await image.standing());
    const kept = (await readAttached(ground.client, image.repository, image.digest)).layers.slice(0, 1);
    await image.tell(
      await overwrite(
        image,
        kept.map((descriptor) => ({ descriptor })),
      ),
    );
    assert.deepEqual(await image.mend(), []);
    assert.deepEqual(
      await attachedTo(image),
      kept.map(({ digest }) => digest),
    );
  });

  test('what others took from each other is theirs to mend', async () => {
    const image = await attested('among-others');
    const before = await readAttached(ground.client, image.repository, image.digest);
    const standing = before.layers.map((descriptor): Attachment => ({ descriptor }));
    await image.tell(before.digest);
    await image.tell(await overwrite(image, [...standing, theirs]));
    await image.tell(await overwrite(image, [...standing, more]));
    assert.deepEqual(await image.mend(), []);
    assert.deepEqual((await attachedTo(image)).at(-1), more.descriptor.digest);
  });

  test('a list that we had made from theirs names it already', async () => {
    const image = await attested('taken-over');
    await image.tell(await image.standing());
    await image.tell(await attach(image, [theirs]));
    await image.attest({ force: true });
    await image.tell(await image.standing());
    const attached = await attachedTo(image);
    assert.ok(attached.includes(theirs.descriptor.digest));
    assert.deepEqual(await image.mend(), []);
    assert.deepEqual(await attachedTo(image), attached);
  });
});

test('an index in the place of the list is left alone', async () => {
  const image = await attested('an-index');
  const { repository, digest } = image;
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };
  const tag = attestationTagOf(digest);
  const bytes = Buffer.from(JSON.stringify(index));
  const { digest: standing } = await ground.client.pushManifest(repository, tag, bytes, index.mediaType);
  await image.tell(standing);
  assert.deepEqual(await image.mend(), []);
  assert.equal((await ground.client.resolve(repository, tag)).digest, standing);
});

test('the list of referrers at the fallback tag is mended in the same way', async () => {
  const evidence = [
    {
      type: 'slsaprovenance1',
      predicateType: 'https://slsa.dev/provenance/v1',
      layout: 'bundle',
      signer: 'signer',
      platforms: false,
    },
  ] as const;
  const image = await attested('fallback', { evidence, policies: [] });
  const { repository, digest } = image;
  const tag = digestTag(digest);
  const [ours] = await listReferrers(ground.client, repository, digest);
  const before = await ground.client.manifest(repository, tag);
  await image.tell(before.descriptor.digest, tag);
  const other = await pushReferrer(ground.client, repository, digest, 'of another tool');
  const both = await ground.client.resolve(repository, tag);
  await image.tell(both.digest, tag);
  // Somebody who knew of neither.
  const { mediaType } = before.descriptor;
  const empty = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [] }));
  await image.tell((await ground.client.pushManifest(repository, tag, empty, mediaType)).digest, tag);
  assert.deepEqual(await image.mend(), ['https://slsa.dev/provenance/v1 restored']);
  assert.deepEqual(
    (await listReferrers(ground.client, repository, digest)).map((each) => each.digest),
    [ours?.digest],
  );
  assert.notEqual(other.digest, ours?.digest);
});
