import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Digest } from '#model/digest.ts';
import type { CloudEvent } from '#model/event.ts';
import type { ImageJob } from '#model/job.ts';
import { createKeys } from '#redis/keys.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { type HttpReceiver, startHttpReceiver } from '../../support/http-receiver.ts';
import { REGISTRY } from '../../support/installation.ts';
import { imageJob } from '../../support/jobs.ts';
import { makePki } from '../../support/pki.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { smallImage } from '../../support/small-images.ts';
import { setUpWorkers, until, untilIdle, type WorkerSetup } from '../../support/worker-setup.ts';

const pki = makePki();
let redis: TestRedis;

before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

interface Settings {
  readonly prefix: string;
  readonly fake: FakeRegistry;
  readonly worker?: object;
  readonly more?: Readonly<Record<string, unknown>>;
}

function setUp({ prefix, fake, worker = {}, more = {} }: Settings): Promise<WorkerSetup> {
  const config = {
    rules: [{ name: 'all', evidence: [], policies: 'signed' }],
    worker: { listen: { host: '127.0.0.1', port: 0 }, ...worker },
    ...more,
  };
  return setUpWorkers({ redisUrl: redis.url, prefix, registry: fake.host, pki, config });
}

function jobFor(repository: string, digest: Digest, more: Partial<ImageJob> = {}): ImageJob {
  return imageJob(repository, { image: { registry: REGISTRY, repository, tag: '1.0', digest }, ...more });
}

async function publish(fake: FakeRegistry): Promise<Digest> {
  const image = await smallImage('care');
  for (const { bytes } of image.blobs) fake.addBlob(bytes);
  return fake.addManifest('1.0', image.root.bytes, image.root.descriptor.mediaType);
}

function told({ received }: HttpReceiver, type: string): readonly CloudEvent[] {
  const events = received.map(({ body }) => JSON.parse(body) as CloudEvent);
  return events.filter((event) => event.type === `dev.attestry.registry.${type}.v1`);
}

async function text(port: number, path: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

describe('a registry that is down', () => {
  for (const [how, break_] of [
    ['5xx', (fake: FakeRegistry, down: () => boolean) => breaks(fake, down, 'answer')],
    ['broken connections', (fake: FakeRegistry, down: () => boolean) => breaks(fake, down, 'drop')],
  ] as const) {
    test(`${how}: left alone by all workers, told once, and jobs outlast it with their tries unspent`, async () => {
      await using fake = await startFakeRegistry();
      await using receiver = await startHttpReceiver();
      const sinks = [{ id: 'hook', type: 'webhook', url: `${receiver.url}/events` }];
      // Three failures in a row are all the tries that each job has.
      const worker = { breaker: { failures: 3, rest: '1s', longestRest: '1s' }, retry: { attempts: 3 } };
      const prefix = `down-${how.replace(/\W/g, '')}`;
      await using setup = await setUp({ prefix, fake, worker, more: { sinks } });
      const digest = await publish(fake);
      let down = true;
      break_(fake, () => down);
      const [one, other] = [await setup.start(), await setup.start()];
      for (const name of ['a', 'b', 'c', 'd']) await setup.queues.enqueueImage('push', jobFor(name, digest));
      await until('the event', async () => told(receiver, 'suspended').length > 0);
      await until('the other worker knows', async () =>
        (await text(other.metricsPort, '/readyz')).includes(`registry ${REGISTRY}: resting`),
      );
      assert.match(await text(one.metricsPort, '/metrics'), /^attestry_registry_breaker\{registry="[^"]+"\} [12]$/m);
      const { breaker } = createKeys(prefix).budget(REGISTRY);
      await until('three more rests', async () => Number(await setup.store.client.hget(breaker, 'opens')) >= 4);
      assert.deepEqual(await setup.dead.list({ limit: 10 }), [], 'no job was given up');
      down = false;
      await untilIdle(setup);
      for (const name of ['a', 'b', 'c', 'd']) {
        assert.equal((await setup.ledger.latest(`${REGISTRY}/${name}@${digest}`)).length, 1, name);
      }
      await until('the end is told', async () => told(receiver, 'resumed').length > 0);
      assert.deepEqual([told(receiver, 'suspended').length, told(receiver, 'resumed').length], [1, 1]);
      assert.doesNotMatch(await text(other.metricsPort, '/readyz'), /resting/);
      assert.match(await text(one.metricsPort, '/metrics'), /^attestry_registry_breaker\{registry="[^"]+"\} 0$/m);
    });
  }

  function breaks(fake: FakeRegistry, down: () => boolean, how: 'answer' | 'drop'): void {
    fake.misbehave(/./, (request, response) => {
      if (!down()) return 'next';
      if (how === 'drop') request.socket.destroy();
      else response.writeHead(502).end();
      return undefined;
    });
  }
});

describe('budgets', () => {
  test('all workers together run as many jobs of a registry as it may have, and leave room for pushes', async () => {
    await using fake = await startFakeRegistry();
    const worker = {
      concurrency: { push: 4, cause: 4, backfill: 4 },
      budgets: { registry: { jobs: 4 }, shares: { backfill: 50 } },
    };
    await using setup = await setUp({ prefix: 'slots', fake, worker });
    const digest = await publish(fake);
    const running = new Set<string>();
    const most = { backfill: 0, all: 0 };
    fake.misbehave(/GET .*\/manifests\/sha256:[0-9a-f]{64}$/, (request, response) => {
      const repository = /v2\/(.*)\/manifests/.exec(request.url ?? '')?.[1] ?? '';
      running.add(repository);
      most.all = Math.max(most.all, running.size);
      most.backfill = Math.max(most.backfill, [...running].filter((name) => name.startsWith('old')).length);
      setTimeout(() => {
        running.delete(repository);
        fake.serve(request, response);
      }, 20);
      return undefined;
    });
    for (let at = 0; at < 12; at++) {
      const cause = { cause: 'backfill', source: 'backfill' } as const;
      await setup.queues.enqueueImage('backfill', jobFor(`old-${at}`, digest, cause));
      await setup.queues.enqueueImage('push', jobFor(`new-${at}`, digest));
    }
    await Promise.all([setup.start(), setup.start()]);
    await untilIdle(setup);
    assert.ok(most.all <= 4, `${most.all} at a time`);
    assert.ok(most.backfill <= 2, `${most.backfill} of the backfill at a time`);
    assert.ok(most.backfill > 0);
    for (let at = 0; at < 12; at++) {
      for (const name of [`old-${at}`, `new-${at}`]) {
        assert.equal((await setup.ledger.latest(`${REGISTRY}/${name}@${digest}`)).length, 1, name);
      }
    }
  });

  test('a source runs as many jobs as it may have, and others run beside it', async () => {
    await using fake = await startFakeRegistry();
    const worker = { concurrency: { push: 4 }, budgets: { source: { jobs: 1 } } };
    await using setup = await setUp({ prefix: 'sources', fake, worker });
    const digest = await publish(fake);
    const held = Promise.withResolvers<void>();
    const arrived = new Set<string>();
    fake.misbehave(/\/noisy-\d+\/manifests\/sha256:/, (request, response) => {
      arrived.add(/noisy-\d+/.exec(request.url ?? '')?.[0] ?? '');
      void held.promise.then(() => fake.serve(request, response));
      return undefined;
    });
    for (let at = 0; at < 6; at++) {
      await setup.queues.enqueueImage('push', jobFor(`noisy-${at}`, digest, { source: 'noisy' }));
    }
    await setup.start();
    await until('the first of it', async () => arrived.size > 0);
    await setup.queues.enqueueImage('push', jobFor('quiet', digest, { source: 'quiet' }));
    await until('the other source is served', async () => {
      return (await setup.ledger.latest(`${REGISTRY}/quiet@${digest}`)).length === 1;
    });
    assert.equal(arrived.size, 1, 'one at a time');
    held.resolve();
    await untilIdle(setup);
    assert.equal((await setup.ledger.latest(`${REGISTRY}/noisy-5@${digest}`)).length, 1);
  });

  test('requests are as many a second as the registry may get', async () => {
    await using fake = await startFakeRegistry();
    const worker = { budgets: { registry: { requestsPerSecond: 20 } } };
    await using setup = await setUp({ prefix: 'rate', fake, worker });
    const digest = await publish(fake);
    for (let at = 0; at < 12; at++) await setup.queues.enqueueImage('push', jobFor(`app-${at}`, digest));
    const from = performance.now();
    await setup.start();
    await untilIdle(setup);
    const seconds = (performance.now() - from) / 1000;
    assert.ok(fake.requests.length > 40, 'enough to be spaced');
    assert.ok(fake.requests.length <= 20 * (seconds + 2), `${fake.requests.length} in ${seconds} s`);
  });
});
