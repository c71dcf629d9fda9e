import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLayoutTarget } from '#oci/layout-directory.ts';
import { connectRedis } from '#redis/connection.ts';
import { createLearntFacts } from '#redis/learnt-facts.ts';
import { runCli } from '../../support/cli.ts';
import { pushTestImageTo } from '../../support/pushed-image.ts';
import { startRedis } from '../../support/redis.ts';
import { type ReferrersRegistry, startReferrersRegistry } from '../../support/referrers-registry.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

let scratch: Scratch;
let distribution: TestRegistry;
let modern: ReferrersRegistry;

before(async () => {
  [scratch, distribution, modern] = await Promise.all([makeScratch(), startRegistry(), startReferrersRegistry()]);
});
after(async () => {
  await scratch[Symbol.asyncDispose]();
  await distribution.stop();
  await modern[Symbol.asyncDispose]();
});

test('a registry tells what can live there, and nothing is written for it', async () => {
  const old = await runCli(['registry', 'probe', `${distribution.host}/team/app`]);
  assert.equal(old.code, 0, old.stderr);
  assert.match(old.stdout, /bundles: listed at the fallback tag/);
  assert.match(old.stdout, /tags: whether they can be written again is not known/);
  const { stdout } = await runCli(['registry', 'probe', `${modern.host}/team/app`, '--json']);
  assert.deepEqual(JSON.parse(stdout), { repository: `${modern.host}/team/app`, referrers: 'api' });
  assert.deepEqual(
    modern.requests.filter((line) => !/^(?:GET|HEAD)/.test(line)),
    [],
  );
});

test('a folder can do all of it', async () => {
  const dir = scratch.at('layout');
  await pushTestImageTo(createLayoutTarget(dir, 'single'), 'registry.invalid');
  const args = ['registry', 'probe', 'registry.invalid/team/app', '--oci-layout', dir];
  const { stdout, stderr } = await runCli(args);
  assert.match(stdout, /the registry lists referrers itself[\s\S]*superseded bundles are deleted/, stderr);
});

test('what the configuration says of a registry is known before any write', async () => {
  const config = await scratch.write(
    'fixed.yaml',
    `version: 1\nregistries: [{ name: registry.example.com, address: "${modern.host}", immutableTags: true }]\n`,
  );
  const { stdout, stderr } = await runCli(['registry', 'probe', 'registry.example.com/app', '--config', config]);
  assert.match(stdout, /cannot be written again: no evidence at cosign's tags/, stderr);
});

test('what workers learnt is printed, and what is too old is not', async () => {
  const redis = await startRedis();
  try {
    const connection = await connectRedis({ url: redis.url, role: 'store', name: 'test' });
    const facts = createLearntFacts(connection.client, { prefix: 'attestry' });
    const now = new Date().toISOString();
    const fact = { registry: 'registry.example.com', what: 'referrers-api', holds: false, at: now };
    await facts.note(fact);
    await facts.note({ ...fact, what: 'deletes', at: '2020-01-01T00:00:00.000Z' });
    await connection.close();
    const config = await scratch.write('redis.yaml', `version: 1\nredis: { url: "${redis.url}" }\n`);
    const { stdout, stderr } = await runCli(['registry', 'remembered', '--config', config]);
    assert.equal(stdout, `no\treferrers-api\tregistry.example.com\t${now}\n`, stderr);
  } finally {
    await redis.stop();
  }
});

test('what cannot be asked says so', async () => {
  for (const [args, code, said] of [
    [['probe'], 64, /REPOSITORY is missing/],
    [['probe', 'registry.example.com/app:1'], 64, /neither tag nor digest/],
    [['prove', 'x'], 64, /say probe REPOSITORY, or remembered/],
    [['probe', 'localhost:1/app'], 2, /localhost:1/],
  ] as const) {
    const result = await runCli(['registry', ...args]);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, said);
  }
});
