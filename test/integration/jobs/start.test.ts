import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Target } from '#oci/target.ts';
import { attachedDigests } from '../../support/attachments.ts';
import { REGISTRY } from '../../support/installation.ts';
import { imageJob } from '../../support/jobs.ts';
import { issueFrom, makePki } from '../../support/pki.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { freePort, startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { setUpWorkers, until, untilIdle, type WorkerSetup } from '../../support/worker-setup.ts';

const pki = makePki();

let redis: TestRedis;
let registry: TestRegistry;
let client: Target & AsyncDisposable;

before(async () => {
  [redis, registry] = await Promise.all([startRedis(), startRegistry()]);
  client = connect(registry.url);
});
after(async () => {
  await client[Symbol.asyncDispose]();
  await Promise.all([redis.stop(), registry.stop()]);
});

function setUp(prefix: string, config: Readonly<Record<string, unknown>> = {}): Promise<WorkerSetup> {
  return setUpWorkers({ redisUrl: redis.url, prefix, registry: registry.host, pki, config });
}

/** One sentence that names the place and what is wrong there. */
async function refusesToStart(setup: WorkerSetup, code: string, wording: RegExp): Promise<void> {
  await assert.rejects(setup.start(), (error) => {
    assert.ok(error instanceof Error);
    const { field = '', mend = '' } = error as { field?: string; mend?: string };
    assert.equal((error as { code?: string }).code, code);
    assert.match(`${field}: ${error.message} (${mend})`, wording);
    return true;
  });
}

test('a key file that is missing stops the start, by its place', async () => {
  await using setup = await setUp('no-key');
  await rm(join(setup.dir, 'key.pem'));
  await refusesToStart(setup, 'config-invalid', /signers\[0\]\.key.*key\.pem cannot be read/s);
});

test('a key of another certificate stops the start, by the signer', async () => {
  await using setup = await setUp('other-key');
  await writeFile(join(setup.dir, 'key.pem'), makePki().leaf.keyPem);
  await refusesToStart(setup, 'key-mismatch', /^signers\.ca: .*key-matches/s);
});

test('a certificate that expired stops the start, with the rule that it breaks', async () => {
  await using setup = await setUp('expired');
  const expired = issueFrom(pki.intermediate, { key: pki.leaf.key, notAfter: new Date('2021-01-01T00:00:00Z') });
  await writeFile(join(setup.dir, 'certificate.pem'), expired.pem);
  await refusesToStart(setup, 'certificate-refused', /^signers\.ca: .*2021-01-01/s);
});

test('a configuration that is no YAML stops the start, by line', async () => {
  await using setup = await setUp('no-yaml');
  await writeFile(setup.file, 'version: 1\nrules: [\n');
  await refusesToStart(setup, 'config-invalid', /attestry\.yaml/);
});

test('a policy that is no YAML does not stop the start: each verdict says so', async () => {
  await using setup = await setUp('bad-policy');
  await writeFile(join(setup.dir, 'signed.yaml'), 'kind: ClusterPolicy\nspec: [\n');
  const digest = await push(client, 'start/bad-policy', '1.0', await smallImage('bad-policy'));
  await setup.start();
  const image = { registry: REGISTRY, repository: 'start/bad-policy', tag: '1.0', digest };
  await setup.queues.enqueueImage('push', imageJob('bad-policy', { image }));
  const name = `${REGISTRY}/start/bad-policy@${digest}`;
  await until('the verdict', async () => (await setup.ledger.latest(name)).length > 0);
  await untilIdle(setup);
  const [state] = await setup.ledger.latest(name);
  assert.equal(state?.couldNotCheck?.verdict.reasons[0]?.code, 'policy-malformed');
  assert.equal(
    (await attachedDigests(client, 'start/bad-policy', digest)).length,
    2,
    'the evidence is made all the same',
  );
});

test('Redis that is away stops the start within seconds, and nothing is left open', async () => {
  await using setup = await setUp('no-redis');
  const port = await freePort();
  const text = await readFile(setup.file, 'utf8');
  await writeFile(setup.file, text.replace(redis.url, `redis://127.0.0.1:${port}`));
  await refusesToStart(setup, 'redis-unavailable', new RegExp(`127\\.0\\.0\\.1:${port}`));
});

test('Redis that may forget jobs stops the start', async () => {
  const lossy = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
  try {
    const settings = { redisUrl: lossy.url, prefix: 'lossy', registry: registry.host, pki };
    await using setup = await setUpWorkers(settings);
    await refusesToStart(setup, 'redis-unsuitable', /noeviction/);
  } finally {
    await lossy.stop();
  }
});
