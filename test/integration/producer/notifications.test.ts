import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { createHttpClient } from '#http/undici-client.ts';
import { type Digest, digestTag, sha256 } from '#model/digest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '#model/media-types.ts';
import type { OwnPushes } from '#model/ports.ts';
import { ANONYMOUS } from '#oci/credentials.ts';
import { createRegistryTarget } from '#oci/registry-target.ts';
import type { Target } from '#oci/target.ts';
import { createApp } from '#producer/app.ts';
import type { IntakeObservation } from '#producer/intake/observation.ts';
import { boundRegistries, mountSource } from '#producer/intake/source.ts';
import { createJobQueues, type JobQueues } from '#queue/queues.ts';
import { connectRedis } from '#redis/connection.ts';
import { createDeliveryIds } from '#redis/delivery-ids.ts';
import { createEvidenceWatch } from '#redis/evidence-watch.ts';
import { createOwnPushes } from '#redis/own-pushes.ts';
import { createRateGuard } from '#redis/rate-guard.ts';
import { continueTrace } from '#telemetry/trace-context.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';
import { secretsFrom } from '../../support/producer.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { freePort, startRegistry } from '../../support/registry.ts';

const TOKEN = 'notification-token';
const cleanUps: (() => Promise<void>)[] = [];

/** What the producer observed so far, and a promise for what is still to come. */
function createWatch() {
  const seen: IntakeObservation[] = [];
  const waiting: { matches: (one: IntakeObservation) => boolean; done: () => void }[] = [];
  return {
    seen,
    observe(observation: IntakeObservation) {
      seen.push(observation);
      for (const one of waiting) if (one.matches(observation)) one.done();
    },
    until(matches: (one: IntakeObservation) => boolean): Promise<void> {
      return new Promise((done) => {
        if (seen.some(matches)) done();
        else waiting.push({ matches, done });
      });
    },
  };
}

const watch = createWatch();
let redis: TestRedis;
let app: FastifyInstance;
let queues: JobQueues;
let ownPushes: OwnPushes;
let target: Target;
let host: string;

before(async () => {
  redis = await startRedis();
  cleanUps.push(() => redis.stop());
  const connection = await connectRedis({ url: redis.url, role: 'producer', name: 'test-producer' });
  cleanUps.push(() => connection.close());
  const prefix = 'test';
  queues = createJobQueues({ connection, prefix });
  cleanUps.push(() => queues.close());
  ownPushes = createOwnPushes(connection.client, { prefix });
  const port = await freePort();
  host = `localhost:${port}`;
  const source = mountSource(
    {
      id: 'hub',
      sender: 'distribution',
      registries: ['main'],
      auth: { kind: 'static-header', header: 'authorization', secrets: ['env:TOKEN'] },
      digestOnly: 'skip',
      attestationTagSuffixes: [],
      ignoreActors: [],
      ratePerHour: 100,
    },
    boundRegistries([{ id: 'main', name: 'registry.example.com', address: host, aliases: [] }]),
    secretsFrom({ TOKEN: `Bearer ${TOKEN}` }),
  );
  app = createApp({
    sources: [source],
    operators: [],
    ports: {
      queue: queues,
      ownPushes,
      evidence: createEvidenceWatch(connection.client, { prefix }),
      deliveries: createDeliveryIds(connection.client, { prefix }),
      rate: createRateGuard(connection.client, { prefix }),
      outbound: createIntakeMemory().ports.outbound,
    },
    checks: [{ name: 'redis', check: async () => void (await connection.client.ping()) }],
    metrics: async () => ({ contentType: 'text/plain', body: '' }),
    log: { info() {}, warn() {}, error() {} },
    observe: watch.observe,
    now: () => new Date(),
    requestId: () => randomBytes(8).toString('hex'),
    traceparent: (incoming) => continueTrace(incoming, (count) => randomBytes(count)),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  cleanUps.push(() => app.close());
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/hooks/hub`;
  const registry = await startRegistry({
    port,
    notifications: [{ url, headers: { Authorization: `Bearer ${TOKEN}` } }],
  });
  cleanUps.push(() => registry.stop());
  const client = createHttpClient({ allowedHosts: [host], userAgent: 'test' });
  cleanUps.push(() => client.close());
  const now = () => new Date();
  target = createRegistryTarget({ name: host, baseUrl: registry.url, client, credentials: ANONYMOUS, now });
});

after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

/** The manifest of a small image; each name makes another one. */
async function manifestOf(name: string): Promise<Uint8Array> {
  const config = await target.pushBlob('team/app', Buffer.from(JSON.stringify({ name })), OCI_CONFIG);
  const layer = await target.pushBlob('team/app', Buffer.from(`layer of ${name}`), OCI_LAYER_GZIP);
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] }));
}

async function push(name: string, reference?: (digest: Digest) => string): Promise<Digest> {
  const bytes = await manifestOf(name);
  const digest = sha256(bytes);
  await target.pushManifest('team/app', reference?.(digest) ?? name, bytes, OCI_MANIFEST);
  return digest;
}

const enqueued = (digest: Digest) => (one: IntakeObservation) => one.kind === 'enqueued' && one.image.endsWith(digest);

function enqueuedImages(): readonly string[] {
  return watch.seen.flatMap((one) => (one.kind === 'enqueued' ? [one.image] : []));
}

async function waiting(): Promise<number | undefined> {
  return (await queues.counts()).find(({ lane }) => lane === 'push')?.waiting;
}

// The registry sends its events one at a time and in order, so a later push that arrived proves what came of earlier
// ones. The tests build on each other for the same reason.
describe('a real registry notifies the producer', () => {
  test('a pushed image is exactly one job, under the configured name of the registry', async () => {
    const digest = await push('one');
    await watch.until(enqueued(digest));
    // The same manifest again: same image, another delivery, still the same job.
    await push('one');
    const later = await push('later');
    await watch.until(enqueued(later));
    assert.equal(await waiting(), 2);
    assert.equal(enqueuedImages()[0], `registry.example.com/team/app:one@${digest}`);
    const skipped = watch.seen.flatMap((one) => (one.kind === 'skipped' ? [one.reason] : []));
    assert.deepEqual([...new Set(skipped)].sort(), ['blob-event', 'not-a-push']);
  });

  test('our own pushes and evidence tags come back and make no job', async () => {
    const before = enqueuedImages().length;
    const own = sha256(await manifestOf('own'));
    await ownPushes.announce('registry.example.com/team/app', own);
    await push('own');
    await push('evidence', (digest) => digestTag(digest, '.att'));
    await push('untagged', (digest) => digest);
    const last = await push('after-own');
    await watch.until(enqueued(last));
    assert.equal(enqueuedImages().length, before + 1);
    const reasons = watch.seen.flatMap((one) => (one.kind === 'skipped' ? [one.reason] : []));
    for (const reason of ['own-push', 'attestation-tag', 'digest-only'] as const) assert.ok(reasons.includes(reason));
  });

  test('while Redis is away nothing is acknowledged, and the registry brings it when Redis is back', async () => {
    const before = await waiting();
    await redis.kill();
    const digest = await push('during-outage');
    await watch.until((one) => one.kind === 'unavailable');
    const ready = await app.inject({ url: '/readyz' });
    assert.equal(ready.statusCode, 503);
    const refused = await app.inject({
      method: 'POST',
      url: '/hooks/hub',
      headers: { authorization: `Bearer ${TOKEN}` },
      payload: {
        events: [
          {
            action: 'push',
            target: { mediaType: OCI_MANIFEST, repository: 'team/app', tag: 'x', digest: sha256('x') },
          },
        ],
      },
    });
    assert.equal(refused.statusCode, 503);
    assert.match(String(refused.headers['retry-after']), /^[1-9]\d*$/);
    assert.ok(!enqueuedImages().some((image) => image.endsWith(digest)));
    await redis.restart();
    await watch.until(enqueued(digest));
    // Redis was killed, not stopped: what had been acknowledged is still there.
    assert.equal(await waiting(), (before ?? 0) + 1);
    assert.equal((await app.inject({ url: '/readyz' })).statusCode, 200);
  });
});
