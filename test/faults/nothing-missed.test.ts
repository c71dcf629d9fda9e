import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '#model/digest.ts';
import { attachedDigests } from '../support/attachments.ts';
import { type FaultGround, openFaultGround } from '../support/fault-ground.ts';
import { REGISTRY } from '../support/installation.ts';
import { push, smallImage } from '../support/small-images.ts';
import { until, untilIdle } from '../support/worker-setup.ts';

const IMAGES = 50;

interface Pushed {
  readonly repository: string;
  readonly digest: Digest;
}

/** Pushes images that nobody tells of: several repositories, several tags each. */
async function pushUnheard({ client }: FaultGround): Promise<readonly Pushed[]> {
  const pushed: Pushed[] = [];
  for (let at = 0; at < IMAGES; at += 1) {
    const repository = `missed/app-${at % 7}`;
    pushed.push({ repository, digest: await push(client, repository, `1.${at}`, await smallImage(`missed-${at}`)) });
  }
  return pushed;
}

/** The digests of all evidence, by image. */
async function evidenceOf({ client }: FaultGround, images: readonly Pushed[]) {
  return Promise.all(images.map(({ repository, digest }) => attachedDigests(client, repository, digest)));
}

async function allKnown({ workers }: FaultGround, images: readonly Pushed[]): Promise<void> {
  await until('every image is judged', async () => {
    const known = await Promise.all(
      images.map(({ repository, digest }) => workers.ledger.latest(`${REGISTRY}/${repository}@${digest}`)),
    );
    return known.every(([state]) => state?.verdict?.outcome === 'pass');
  });
  await untilIdle(workers);
}

const sweep = { every: '1h' };

function config(ground: { readonly host: string }) {
  return { registries: [{ name: REGISTRY, address: ground.host, sweep }] };
}

test('everything stopped, 50 images pushed, started: each is attested, none twice', async () => {
  await using ground = await openFaultGround({}, config);
  const images = await pushUnheard(ground);
  await ground.workers.spawn();
  await ground.workers.spawn();
  await allKnown(ground, images);
  const evidence = await evidenceOf(ground, images);
  // SBOM and provenance of each image, each in one list that was written once.
  assert.deepEqual(new Set(evidence.map((one) => one.length)), new Set([2]));
  assert.equal(new Set(evidence.flat()).size, 2 * IMAGES);
  assert.equal(ground.attached(), IMAGES);
  assert.deepEqual(await ground.workers.dead.list({ limit: 10 }), []);
});

for (const [how, forget] of [
  ['emptied', async (ground: FaultGround) => void (await ground.workers.store.client.flushall())],
  ['gone with its disk', (ground: FaultGround) => ground.redis.lose()],
] as const) {
  test(`Redis ${how}: one sweep restores what is known, and nothing is attested again`, async () => {
    await using ground = await openFaultGround({}, config);
    const images = await pushUnheard(ground);
    const worker = await ground.workers.spawn();
    await allKnown(ground, images);
    const before = await evidenceOf(ground, images);
    worker.signal('SIGTERM');
    await worker.ended;
    await forget(ground);
    assert.deepEqual(await ground.workers.ledger.coverage(), { images: 0, byOutcome: {} });
    await ground.workers.spawn();
    await allKnown(ground, images);
    assert.deepEqual(await evidenceOf(ground, images), before);
    assert.equal(ground.attached(), IMAGES);
    assert.deepEqual(await ground.workers.dead.list({ limit: 10 }), []);
  });
}
