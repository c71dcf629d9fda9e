import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildIndex } from '#cli/demo/image-writer.ts';
import { type Digest, digestHex, digestTag } from '#model/digest.ts';
import { readAttached, readStatementOf } from '../../support/attachments.ts';
import { buildkitImage } from '../../support/buildkit-image.ts';
import { REGISTRY } from '../../support/installation.ts';
import { type NotifyingGround, openNotifyingGround } from '../../support/notifying-ground.ts';
import { AMD64, ARM64, push, smallImage } from '../../support/small-images.ts';
import { until, untilIdle } from '../../support/worker-setup.ts';

const repository = 'team/app';
const SBOM = 'https://cyclonedx.org/bom';
const PROVENANCE = 'https://slsa.dev/provenance/v1';

/** The statements at an image: predicate types, in order; each must be about that image alone. */
async function attested({ client }: NotifyingGround, subject: Digest): Promise<readonly string[]> {
  const { layers } = await readAttached(client, repository, subject);
  const statements = await Promise.all(layers.map((layer) => readStatementOf(client, repository, layer)));
  return statements.map(({ statement }) => {
    const digests = (statement.subject as readonly { readonly digest: object }[]).map(({ digest }) => digest);
    assert.deepEqual(digests, [{ sha256: digestHex(subject) }]);
    return String(statement.predicateType);
  });
}

async function judged({ workers }: NotifyingGround, digest: Digest): Promise<void> {
  const image = `${REGISTRY}/${repository}@${digest}`;
  await until('it is judged', async () => (await workers.ledger.latest(image)).length > 0);
  await untilIdle(workers);
}

async function dead({ workers }: NotifyingGround) {
  await until('it is given up', async () => (await workers.dead.list({ limit: 10 })).length > 0);
  await untilIdle(workers);
  return workers.dead.list({ limit: 10 });
}

async function hasEvidence({ client }: NotifyingGround, digest: Digest): Promise<boolean> {
  const found = await client.resolve(repository, digestTag(digest, '.att')).catch(() => undefined);
  return found !== undefined;
}

test('an index is one job: SBOMs of its platforms and its own, provenance of the whole, nothing for BuildKit manifests', async () => {
  await using ground = await openNotifyingGround();
  const image = await buildkitImage('index');
  await ground.workers.start();
  const digest = await push(ground.client, repository, '1.0', image);
  await judged(ground, digest);
  assert.deepEqual(await attested(ground, digest), [SBOM, PROVENANCE]);
  for (const platform of image.platforms) assert.deepEqual(await attested(ground, platform), [SBOM]);
  for (const { descriptor } of image.manifests) {
    const isPlatform = image.platforms.includes(descriptor.digest);
    assert.equal(await hasEvidence(ground, descriptor.digest), isPlatform, descriptor.digest);
  }
  assert.deepEqual(
    ground.told(/attached|dead/).map(([type, subject]) => [type, subject]),
    [['evidence.attached', `${REGISTRY}/${repository}@${digest}`]],
  );
});

test('a platform that is pushed by a tag of its own is not attested twice', async () => {
  await using ground = await openNotifyingGround();
  const amd64 = await smallImage('own-amd64', { platform: AMD64 });
  const index = buildIndex([amd64, await smallImage('own-arm64', { platform: ARM64 })]);
  // Both are known before a worker runs, so that their jobs run side by side.
  const digest = await push(ground.client, repository, '1.0', index);
  const child = await push(ground.client, repository, '1.0-amd64', amd64);
  await until('both wait', async () => (await ground.workers.queues.counts())[0]?.waiting === 2);
  await ground.workers.start();
  await judged(ground, child);
  await judged(ground, digest);
  assert.deepEqual((await attested(ground, child)).toSorted(), [SBOM, PROVENANCE]);
  assert.deepEqual(await attested(ground, digest), [SBOM, PROVENANCE]);
  assert.deepEqual(ground.told(/lost|restored|dead/), []);

  // And once more by both names.
  await push(ground.client, repository, '1.0-amd64', amd64);
  await push(ground.client, repository, '1.0', index);
  await untilIdle(ground.workers);
  assert.deepEqual((await attested(ground, child)).toSorted(), [SBOM, PROVENANCE]);
  assert.deepEqual(await attested(ground, digest), [SBOM, PROVENANCE]);
});

test('a platform that is missing is named, looked for, and leaves nothing half attested; pushed again, all of it is', async () => {
  await using ground = await openNotifyingGround({
    worker: { listen: { host: '127.0.0.1', port: 0 }, retry: { visibleWithin: '2s' } },
  });
  const amd64 = await smallImage('missing-amd64', { platform: AMD64 });
  const arm64 = await smallImage('missing-arm64', { platform: ARM64 });
  const digest = await push(ground.client, repository, '1.0', buildIndex([amd64, arm64]));
  const missing = arm64.root.descriptor.digest;
  await ground.client.deleteManifest(repository, missing);
  await ground.workers.start();
  const [letter = assert.fail(), ...others] = await dead(ground);
  assert.deepEqual([others, letter.reason.code, letter.reason.exhausted], [[], 'child-missing', true]);
  assert.match(letter.reason.message, new RegExp(`@${digest} lists linux/arm64/v8 ${missing}, which is not whole`));
  assert.ok(letter.attempts > 1);
  for (const each of [digest, amd64.root.descriptor.digest]) assert.equal(await hasEvidence(ground, each), false);

  const { bytes, descriptor } = arm64.root;
  await ground.client.pushManifest(repository, missing, bytes, descriptor.mediaType);
  await ground.workers.dead.replay(letter.id);
  await judged(ground, digest);
  assert.deepEqual(await attested(ground, digest), [SBOM, PROVENANCE]);
  assert.deepEqual(await attested(ground, missing), [SBOM]);
});

test('an index that lists an index is given up at once, with its reason', async () => {
  await using ground = await openNotifyingGround();
  const inner = buildIndex([await smallImage('nested')]);
  await ground.workers.start();
  await push(ground.client, repository, 'inner', inner);
  const { descriptor } = inner.root;
  const digest = await push(ground.client, repository, 'outer', buildIndex([inner]));
  const [letter = assert.fail()] = await dead(ground);
  assert.equal(letter.reason.code, 'index-nested');
  assert.match(letter.reason.message, new RegExp(`@${digest} lists another index, ${descriptor.digest}`));
  assert.equal(await hasEvidence(ground, digest), false);
});
