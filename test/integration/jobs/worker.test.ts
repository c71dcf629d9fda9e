import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Digest } from '#model/digest.ts';
import type { CloudEvent } from '#model/event.ts';
import type { ImageJob } from '#model/job.ts';
import { verdictState } from '#model/verdict.ts';
import type { Target } from '#oci/target.ts';
import { attachedDigests } from '../../support/attachments.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { type HttpReceiver, startHttpReceiver } from '../../support/http-receiver.ts';
import { REGISTRY } from '../../support/installation.ts';
import { imageJob } from '../../support/jobs.ts';
import { makePki } from '../../support/pki.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { verdictOf } from '../../support/verdict.ts';
import { setUpWorkers, until, untilIdle, type WorkerSettings, type WorkerSetup } from '../../support/worker-setup.ts';

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

function setUp(prefix: string, more: Partial<WorkerSettings> = {}): Promise<WorkerSetup> {
  return setUpWorkers({ redisUrl: redis.url, prefix, registry: registry.host, pki, ...more });
}

function jobFor(repository: string, digest: Digest, more: Partial<ImageJob> = {}): ImageJob {
  return imageJob(repository, { image: { registry: REGISTRY, repository, tag: '1.0', digest }, ...more });
}

function eventsOf({ received }: HttpReceiver): readonly CloudEvent[] {
  return received.map(({ body }) => JSON.parse(body) as CloudEvent);
}

function typesOf(receiver: HttpReceiver): readonly string[] {
  return eventsOf(receiver).map(({ type }) => type.replace(/^dev\.attestry\.|\.v1$/g, ''));
}

function webhook(receiver: HttpReceiver): Record<string, unknown> {
  return { sinks: [{ id: 'hook', type: 'webhook', url: `${receiver.url}/events` }] };
}

describe('a worker on its queue', () => {
  test('attests a push, records it, and delivers each event once', async () => {
    await using receiver = await startHttpReceiver();
    await using setup = await setUp('whole', { config: webhook(receiver) });
    const digest = await push(client, 'worker/whole', '1.0', await smallImage('whole'));
    await setup.queues.enqueueImage('push', jobFor('worker/whole', digest));
    await setup.start();
    await until('both events', async () => receiver.received.length >= 2);
    await untilIdle(setup);
    assert.deepEqual(typesOf(receiver).toSorted(), ['evidence.attached', 'verdict.first']);
    assert.equal((await attachedDigests(client, 'worker/whole', digest)).length, 2);
    const [state] = await setup.ledger.latest(`${REGISTRY}/worker/whole@${digest}`);
    assert.equal(state?.verdict?.outcome, 'pass', JSON.stringify(state?.verdict?.reasons));
  });

  test('tells a change that a worker recorded before it died, and tells it once', async () => {
    await using receiver = await startHttpReceiver();
    await using setup = await setUp('crashed', { config: webhook(receiver) });
    const verdict = verdictOf('pass');
    const [image] = verdict.image.split(' ');
    assert.ok(image);
    const at = new Date();
    const recorded = await setup.ledger.record({ image, verdict, at, nextDue: new Date(at.getTime() + 3_600_000) });
    assert.equal(recorded?.change, 'first');
    // A relay that dies between the delivery job and the end of its entry comes again.
    const dying = async () => {
      throw new Error('killed');
    };
    await assert.rejects(setup.ledger.relay(dying, 10), /killed/);
    await setup.start();
    await setup.start();
    await until('the event', async () => receiver.received.length >= 1);
    await untilIdle(setup);
    const [event, ...more] = eventsOf(receiver);
    assert.equal(more.length, 0);
    assert.equal(event?.subject, image);
    assert.equal(event?.type, 'dev.attestry.verdict.first.v1');
    assert.equal(await setup.ledger.relay(dying, 10), 0, 'nothing is left to tell');
    assert.equal(verdictState(verdict), 'pass:verified');
  });

  test('verifies by itself what the ledger says is due', async () => {
    await using setup = await setUp('schedule', { config: { reconcile: { wake: '1s' } } });
    const digest = await push(client, 'worker/schedule', '1.0', await smallImage('schedule'));
    const image = `${REGISTRY}/worker/schedule@${digest}`;
    await setup.start();
    await setup.queues.enqueueImage('push', jobFor('worker/schedule', digest));
    await until('the first verdict', async () => (await setup.ledger.latest(image)).length > 0);
    await untilIdle(setup);
    const [first] = await setup.ledger.latest(image);
    await setup.ledger.makeDue({ image }, new Date());
    await until('a second look', async () => {
      const [state] = await setup.ledger.latest(image);
      return (state?.lastCheckedAt ?? '') > (first?.lastCheckedAt ?? '');
    });
    await untilIdle(setup);
    assert.deepEqual(await setup.ledger.due(new Date(), 10), [], 'due again in an hour');
    assert.equal((await setup.ledger.history(image, 10)).length, 1);
  });

  test('ends in order: the running job is finished, the waiting one is left to others', async () => {
    await using fake = await startFakeRegistry();
    await using setup = await setUp('graceful', { registry: fake.host, config: reading({ push: 1 }) });
    const digest = await publish(fake, 'graceful');
    const reached = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    fake.misbehave(/GET .*\/first\/manifests\/sha256:/, (request, response) => {
      reached.resolve();
      void held.promise.then(() => fake.serve(request, response));
      return undefined;
    });
    const worker = await setup.start();
    await setup.queues.enqueueImage('push', jobFor('first', digest));
    await reached.promise;
    await setup.queues.enqueueImage('push', jobFor('second', digest));
    const stopping = worker[Symbol.asyncDispose]();
    held.resolve();
    await stopping;
    assert.equal((await setup.ledger.latest(`${REGISTRY}/first@${digest}`)).length, 1, 'it came to its end');
    const [lane] = await setup.queues.counts();
    assert.deepEqual([lane?.lane, lane?.waiting, lane?.active], ['push', 1, 0]);
    await setup.start();
    await untilIdle(setup);
    assert.equal((await setup.ledger.latest(`${REGISTRY}/second@${digest}`)).length, 1);
  });
});

/** Rules that sign nothing: for registries that take no uploads. */
function reading(concurrency: Readonly<Record<string, number>> = {}, more: object = {}): Record<string, unknown> {
  return {
    rules: [{ name: 'all', evidence: [], policies: 'signed' }],
    worker: { listen: { host: '127.0.0.1', port: 0 }, concurrency, ...more },
  };
}

async function publish(fake: FakeRegistry, seed: string): Promise<Digest> {
  const image = await smallImage(seed);
  for (const { bytes } of image.blobs) fake.addBlob(bytes);
  return fake.addManifest('1.0', image.root.bytes, image.root.descriptor.mediaType);
}

describe('a registry that does not serve', () => {
  for (const [status, code, wording] of [
    [401, 'registry-unauthorized', /credentials/],
    [403, 'registry-forbidden', /403/],
  ] as const) {
    test(`${status}: the job is given up with its reason, told, and done when it is replayed`, async () => {
      await using fake = await startFakeRegistry();
      await using receiver = await startHttpReceiver();
      const config = { ...reading(), ...webhook(receiver) };
      await using setup = await setUp(`refused-${status}`, { registry: fake.host, config });
      const digest = await publish(fake, 'refused');
      let closed = true;
      fake.misbehave(/./, (_, response) => {
        if (!closed) return 'next';
        response.writeHead(status).end();
        return undefined;
      });
      await setup.start();
      await setup.queues.enqueueImage('push', jobFor('team/app', digest));
      await until('the dead letter', async () => (await setup.dead.list({ limit: 10 })).length === 1);
      const [letter] = await setup.dead.list({ limit: 10 });
      assert.equal(letter?.reason.code, code);
      assert.equal(letter?.reason.class, 'permanent');
      assert.match(`${letter?.reason.message} credentials`, wording);
      assert.deepEqual([letter?.lane, letter?.attempts], ['push', 1]);
      await until('the event', async () => receiver.received.length > 0);
      assert.deepEqual(typesOf(receiver), ['job.dead']);
      closed = false;
      assert.equal(await setup.dead.replayAll(), 1);
      await untilIdle(setup);
      assert.deepEqual(await setup.dead.list({ limit: 10 }), []);
      assert.equal((await setup.ledger.latest(`${REGISTRY}/team/app@${digest}`)).length, 1);
    });
  }

  test('503: tried again until it serves', async () => {
    await using fake = await startFakeRegistry();
    await using setup = await setUp('unavailable', { registry: fake.host, config: reading() });
    const digest = await publish(fake, 'unavailable');
    let left = 1;
    fake.misbehave(/manifests\/sha256:/, (_, response) => {
      if (left === 0) return 'next';
      left -= 1;
      response.writeHead(503, { 'retry-after': '1' }).end();
      return undefined;
    });
    await setup.start();
    await setup.queues.enqueueImage('push', jobFor('team/app', digest));
    await until('the verdict', async () => (await setup.ledger.latest(`${REGISTRY}/team/app@${digest}`)).length > 0);
    assert.deepEqual(await setup.dead.list({ limit: 10 }), []);
  });

  test('429: what one worker is told holds for all, and costs no attempt', async () => {
    await using fake = await startFakeRegistry();
    await using setup = await setUp('throttled', { registry: fake.host, config: reading({ push: 1 }) });
    const digest = await publish(fake, 'throttled');
    fake.fail(/manifests/, 429, { 'retry-after': '600' });
    await Promise.all([setup.start(), setup.start()]);
    await setup.queues.enqueueImage('push', jobFor('one', digest));
    const delayed = async () => (await setup.queues.counts()).find(({ lane }) => lane === 'push')?.delayed ?? 0;
    await until('the first is put off', async () => (await delayed()) === 1);
    assert.equal(fake.requests.length, 1);
    for (const name of ['two', 'three', 'four']) await setup.queues.enqueueImage('push', jobFor(name, digest));
    await until('all are put off', async () => (await delayed()) === 4);
    assert.equal(fake.requests.length, 1, 'the others did not even ask');
    assert.deepEqual(await setup.dead.list({ limit: 10 }), []);
  });

  test('404 of an image that was announced: looked for again, and found', async () => {
    await using fake = await startFakeRegistry();
    await using setup = await setUp('not-yet', { registry: fake.host, config: reading() });
    const digest = await publish(fake, 'not-yet');
    let left = 1;
    fake.misbehave(/manifests\/sha256:/, (_, response) => {
      if (left === 0) return 'next';
      left -= 1;
      response.writeHead(404).end();
      return undefined;
    });
    await setup.start();
    await setup.queues.enqueueImage('push', jobFor('team/app', digest));
    await until('the verdict', async () => (await setup.ledger.latest(`${REGISTRY}/team/app@${digest}`)).length > 0);
    assert.deepEqual(await setup.dead.list({ limit: 10 }), []);
  });

  test('one that is not configured is never dialled: the job is given up by name', async () => {
    await using fake = await startFakeRegistry();
    await using setup = await setUp('unknown', { config: reading() });
    const digest = await publish(fake, 'unknown');
    await setup.start();
    const image = { registry: fake.host, repository: 'team/app', digest };
    await setup.queues.enqueueImage('push', imageJob('unknown', { image }));
    await until('the dead letter', async () => (await setup.dead.list({ limit: 10 })).length === 1);
    const [letter] = await setup.dead.list({ limit: 10 });
    assert.equal(letter?.reason.code, 'unknown-registry');
    assert.match(letter?.reason.message ?? '', new RegExp(`${fake.host}.*${REGISTRY}`));
    assert.deepEqual(fake.requests, []);
  });
});
