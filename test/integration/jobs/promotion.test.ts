import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { EvidenceData } from '#events/event-data.ts';
import { runImageJob } from '#jobs/image-job.ts';
import { createSeenDigests } from '#redis/seen-digests.ts';
import { attachedDigests } from '../../support/attachments.ts';
import { REGISTRY } from '../../support/installation.ts';
import { provenanceRule } from '../../support/job-ports.ts';
import { imageJob } from '../../support/jobs.ts';
import { type RedisJobs, redisJobs } from '../../support/redis-jobs.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { doneOf, type JobGround, openJobGround, outcomesOf, signer, typesOf } from '../../support/watched-image.ts';

const PREFIX = 'promotion';

let ground: JobGround;
let jobs: RedisJobs;

before(async () => {
  ground = await openJobGround();
  const [evidence] = provenanceRule('all', signer.id).evidence;
  assert.ok(evidence);
  const promoted = { ...evidence, promote: { from: [`${REGISTRY}/staging/**`], otherwise: 'refuse' as const } };
  jobs = redisJobs({
    store: ground.store,
    prefix: PREFIX,
    target: ground.client,
    rules: [
      provenanceRule('release', signer.id, { match: { repository: ['release/**'] }, evidence: [promoted] }),
      provenanceRule('staging', signer.id),
    ],
    signers: [signer],
  });
});
after(() => ground.close());

async function run(repository: string) {
  const digest = await push(ground.client, repository, '1.0', await smallImage(PREFIX));
  const seen = createSeenDigests(ground.store.client, { prefix: PREFIX });
  const ports = { ...jobs.ports, engine: { ...jobs.ports.engine, seen } };
  const job = imageJob(PREFIX, { image: { registry: REGISTRY, repository, tag: '1.0', digest } });
  const report = doneOf(await runImageJob('push', job, [], ports, { signal: new AbortController().signal }));
  return { digest, report, events: await jobs.relay() };
}

test('a promoted image gets the evidence of where its digest was seen, and that is told', async () => {
  const early = await run('release/early');
  assert.deepEqual(
    early.report.evidence.map(({ state }) => state),
    ['refused'],
    'nobody has seen it yet',
  );
  const staged = await run('staging/team/app');
  assert.deepEqual(outcomesOf(staged.report), ['pass']);
  const { digest, report, events } = await run('release/app');
  assert.deepEqual(
    report.evidence.map(({ state, from }) => [state, from]),
    [['copied', `${REGISTRY}/staging/team/app`]],
  );
  assert.deepEqual(outcomesOf(report), ['pass']);
  assert.deepEqual(
    await attachedDigests(ground.client, 'release/app', digest),
    await attachedDigests(ground.client, 'staging/team/app', digest),
  );
  assert.deepEqual(typesOf(events).toSorted(), ['evidence.copied', 'verdict.first']);
  const copied = events.find(({ type }) => type === 'dev.attestry.evidence.copied.v1');
  assert.ok(copied);
  const [item] = (copied.data as EvidenceData).evidence;
  assert.deepEqual([item?.state, item?.from], ['copied', `${REGISTRY}/staging/team/app`]);
});

test('where a digest was seen is kept within bounds, and read by the names of the configuration', async () => {
  const seen = createSeenDigests(ground.store.client, { prefix: 'bounds', limit: 3 });
  const digest = `sha256:${'a'.repeat(64)}` as const;
  for (const repository of ['d', 'c/e', 'b', 'a']) await seen.note({ registry: 'no-host', repository, digest });
  assert.deepEqual(await seen.places(digest), [
    { registry: 'no-host', repository: 'b' },
    { registry: 'no-host', repository: 'c/e' },
    { registry: 'no-host', repository: 'd' },
  ]);
  assert.deepEqual(await seen.places(`sha256:${'b'.repeat(64)}`), []);
});
