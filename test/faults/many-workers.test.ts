import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '#model/digest.ts';
import { attachedDigests, readAttached, readStatementOf } from '../support/attachments.ts';
import { attachedTimes, openFaultGround } from '../support/fault-ground.ts';
import { REGISTRY } from '../support/installation.ts';
import { imageJob } from '../support/jobs.ts';
import { push, smallImage } from '../support/small-images.ts';
import { untilIdle } from '../support/worker-setup.ts';

const WORKERS = 8;
const DIGESTS = 10;
const CENTRAL = 'central/evidence';

test('eight workers at twenty pushes of ten images: each is attested exactly once', async () => {
  const evidence = ['cyclonedx', 'slsaprovenance1'].map((type) => ({
    type,
    signer: 'ca',
    repository: `${REGISTRY}/${CENTRAL}`,
  }));
  await using ground = await openFaultGround({
    rules: [{ name: 'all', evidence }],
    worker: { listen: { host: '127.0.0.1', port: 0 }, concurrency: { push: 2, cause: 2, deliver: 1 } },
  });
  const { workers, client, proxy } = ground;
  const pushes: { repository: string; digest: Digest }[] = [];
  for (let at = 0; at < DIGESTS; at++) {
    const image = await smallImage(`many-${at}`);
    for (const team of ['one', 'two']) {
      const repository = `${team}/app-${at}`;
      pushes.push({ repository, digest: await push(client, repository, '1.0', image) });
    }
  }
  await Promise.all(Array.from({ length: WORKERS }, (_, at) => (at < 2 ? workers.spawn() : workers.start())));
  // Each push twice, on lanes that know nothing of each other: the queue is only a hint.
  const jobs = pushes.flatMap(({ repository, digest }) => {
    const image = { registry: REGISTRY, repository, tag: '1.0', digest };
    return (['push', 'cause'] as const).map((lane) => ({ lane, job: imageJob(repository, { image }) }));
  });
  await Promise.all(jobs.map(({ lane, job }) => workers.queues.enqueueImage(lane, job)));
  await untilIdle(workers);
  assert.deepEqual(await workers.dead.list({ limit: 100 }), []);
  assert.equal(attachedTimes(proxy), DIGESTS);
  for (const digest of new Set(pushes.map((each) => each.digest))) {
    const { layers } = await readAttached(client, CENTRAL, digest);
    const statements = await Promise.all(layers.map((layer) => readStatementOf(client, CENTRAL, layer)));
    assert.deepEqual(
      statements.map(({ statement }) => statement.predicateType),
      ['https://cyclonedx.org/bom', 'https://slsa.dev/provenance/v1'],
    );
  }
  for (const { repository, digest } of pushes) {
    const states = await workers.ledger.latest(`${REGISTRY}/${repository}@${digest}`);
    assert.deepEqual(
      states.map(({ verdict }) => verdict?.outcome),
      ['pass', 'pass'],
      repository,
    );
    await assert.rejects(attachedDigests(client, repository, digest), { code: 'not-found' });
  }
});
