import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Digest, sha256 } from '#model/digest.ts';
import { OCI_EMPTY, OCI_MANIFEST, SIGSTORE_BUNDLE_V03, SLSA_PROVENANCE_V1 } from '#model/media-types.ts';
import type { Target } from '#oci/target.ts';
import { runCli } from '../../support/cli.ts';
import { ISSUER } from '../../support/fulcio-ca.ts';
import { startHttpReceiver } from '../../support/http-receiver.ts';
import { REGISTRY } from '../../support/installation.ts';
import { imageJob } from '../../support/jobs.ts';
import { makePki } from '../../support/pki.ts';
import { createPrivateSigstore } from '../../support/private-sigstore.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { listReferrers } from '../../support/referrers.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { statementOf } from '../../support/signed-evidence.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { recordSockets, type SocketRecord } from '../../support/sockets/recorded-sockets.ts';
import { setUpWorkers, spawnProcess, until, untilIdle, type WorkerSetup } from '../../support/worker-setup.ts';

const REPOSITORY = 'offline/app';

describe('with offline, a process opens no socket but to Redis and the registry', () => {
  const sigstore = createPrivateSigstore();
  let redis: TestRedis;
  let registry: TestRegistry;
  let client: Target & AsyncDisposable;
  let scratch: Scratch;

  before(async () => {
    [redis, registry, scratch] = await Promise.all([startRedis(), startRegistry(), makeScratch()]);
    client = connect(registry.url);
  });
  after(async () => {
    await client[Symbol.asyncDispose]();
    await Promise.all([redis.stop(), registry.stop(), scratch[Symbol.asyncDispose]()]);
  });

  /** What the process reached beside Redis and the registry. */
  function elsewhere(record: SocketRecord): readonly string[] {
    const ports = [new URL(redis.url), registry.url].map(({ port }) => port);
    return record
      .ways()
      .filter(({ kind, where }) => {
        if (kind === 'tcp') return !ports.some((port) => [`127.0.0.1:${port}`, `::1:${port}`].includes(where));
        return !(kind === 'dns' && where === 'localhost');
      })
      .map(({ kind, where }) => `${kind} ${where}`);
  }

  async function attachBundle(digest: Digest): Promise<void> {
    const payload = JSON.stringify(statementOf({ digest, type: SLSA_PROVENANCE_V1 }));
    const bytes = Buffer.from(JSON.stringify(sigstore.bundle({ payload })));
    const config = await client.pushBlob(REPOSITORY, Buffer.from('{}'), OCI_EMPTY);
    const layer = await client.pushBlob(REPOSITORY, bytes, SIGSTORE_BUNDLE_V03);
    const { mediaType, size } = await client.resolve(REPOSITORY, digest);
    const subject = { mediaType, digest, size };
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: SIGSTORE_BUNDLE_V03, config, subject };
    const text = Buffer.from(JSON.stringify({ ...manifest, layers: [layer] }));
    await client.pushManifest(REPOSITORY, sha256(text), text, OCI_MANIFEST);
  }

  /** Attests one push, and verifies it again, in a worker of its own; answers what it reached. */
  async function work(setup: WorkerSetup, tag: string): Promise<SocketRecord> {
    const digest = await push(client, REPOSITORY, tag, await smallImage(`offline ${tag}`));
    await attachBundle(digest);
    await writeFile(join(setup.dir, 'trusted_root.json'), JSON.stringify(sigstore.trustedRoot()));
    const record = recordSockets(scratch.at(`${tag}.jsonl`));
    const image = { registry: REGISTRY, repository: REPOSITORY, tag, digest };
    const name = `${REGISTRY}/${REPOSITORY}@${digest}`;
    {
      await using worker = await spawnProcess(setup.file, 'worker', record.env);
      await setup.queues.enqueueImage('push', imageJob(REPOSITORY, { image }));
      await until('it is attested', async () => (await listReferrers(client, REPOSITORY, digest)).length > 1);
      await untilIdle(setup);
      await setup.queues.enqueueImage('cause', imageJob(REPOSITORY, { image, kind: 'verify', cause: 'demand' }));
      await untilIdle(setup);
      worker.signal('SIGTERM');
      await worker.ended;
    }
    const states = await setup.ledger.latest(name);
    assert.deepEqual(
      states.map(({ verdict }) => verdict?.outcome),
      ['pass', 'pass'],
    );
    return record;
  }

  const pki = makePki();
  const config = (more: Readonly<Record<string, unknown>>) => ({
    trusts: [
      {
        id: 'others',
        trustedRoot: 'trusted_root.json',
        identity: { subject: 'https://attestry.test/builder', issuer: ISSUER },
      },
      { id: 'company', certificateChain: 'chain.pem', identity: 'https://attestry.test/builder' },
    ],
    rules: [
      {
        name: 'all',
        evidence: [
          { type: 'cyclonedx', signer: 'ca', trust: 'company', layout: 'bundle' },
          // Made by somebody else, as a bundle: nothing is signed for it.
          { type: 'slsaprovenance1', signer: 'ca', trust: 'others', layout: 'bundle' },
        ],
      },
    ],
    policies: [],
    ...more,
  });
  const setUp = (prefix: string, more: Readonly<Record<string, unknown>>) =>
    setUpWorkers({ redisUrl: redis.url, prefix, registry: registry.host, pki, config: config(more) });

  it('a worker that attests and verifies, under a private CA and a trusted root', async () => {
    const sinks = [{ id: 'stream', type: 'redis-stream' }];
    await using setup = await setUp('offline', { offline: true, sinks });
    const record = await work(setup, 'silent');
    assert.deepEqual(elsewhere(record), []);
    assert.ok(record.ways().length > 0, 'Redis and the registry are reached');
  });

  it('the record tells of a worker that reaches something else', async () => {
    await using receiver = await startHttpReceiver();
    const sinks = [{ id: 'hook', type: 'webhook', url: `${receiver.url}/events` }];
    await using setup = await setUp('online', { sinks });
    assert.deepEqual(elsewhere(await work(setup, 'told')), [`tcp ${new URL(receiver.url).host}`]);
  });

  it('the command line that verifies under a trusted root', async () => {
    const digest = await push(client, REPOSITORY, 'cli', await smallImage('offline cli'));
    await attachBundle(digest);
    const record = recordSockets(scratch.at('cli.jsonl'));
    const root = await scratch.write('trusted_root.json', JSON.stringify(sigstore.trustedRoot()));
    const image = `${registry.host}/${REPOSITORY}@${digest}`;
    const flags = ['--type', 'slsaprovenance1', '--trusted-root', root];
    const { code, stderr } = await runCli(['verify', image, ...flags], { env: record.env });
    assert.equal(code, 0, stderr);
    // The launcher starts the program again under the Node that it brings.
    assert.deepEqual(
      elsewhere(record).filter((way) => !way.startsWith('process ')),
      [],
    );
  });
});
