import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '#model/digest.ts';
import type { CloudEvent } from '#model/event.ts';
import type { Target } from '#oci/target.ts';
import { readAttached, readStatementOf } from './attachments.ts';
import { type HttpReceiver, startHttpReceiver } from './http-receiver.ts';
import { REGISTRY } from './installation.ts';
import { imageJob } from './jobs.ts';
import { makePki } from './pki.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { startRegistry, type TestRegistry } from './registry.ts';
import { type RegistryProxy, startRegistryProxy } from './registry-proxy.ts';
import { connect } from './registry-target.ts';
import { push, smallImage } from './small-images.ts';
import { setUpWorkers, until, untilIdle, type WorkerSetup } from './worker-setup.ts';

/** The PUT that attaches. */
export const ATTACH = /^PUT .*\/manifests\/sha256-[0-9a-f]{64}\.att$/;

/** Redis, a registry behind a proxy, a receiver of events, and the workers between them. */
export interface FaultGround extends AsyncDisposable {
  readonly redis: TestRedis;
  /** Kills the registry; it comes back on the same port, with what it held. */
  killRegistry(): Promise<{ readonly back: Promise<void> }>;
  readonly proxy: RegistryProxy;
  /** How often the registry took a list of attestations. */
  attached(): number;
  /** Straight to the registry, past the proxy. */
  readonly client: Target;
  readonly workers: WorkerSetup;
  readonly receiver: HttpReceiver;
  /** Pushes an image and enqueues its job. */
  pushed(repository: string): Promise<Digest>;
  /** Waits for the end of all jobs and deliveries. */
  settled(repository: string, digest: Digest): Promise<void>;
  /** What must hold, whatever happened on the way: attached once, judged good, told once, nothing given up. */
  wholeOnce(repository: string, digest: Digest): Promise<void>;
}

export async function openFaultGround(
  config: Readonly<Record<string, unknown>> = {},
  /** What has to know the address of the proxy. */
  located: (proxy: { readonly host: string }) => Readonly<Record<string, unknown>> = () => ({}),
): Promise<FaultGround> {
  const stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'attestry-storage-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const [redis, first, receiver] = await Promise.all([startRedis(), startRegistry({ dir }), startHttpReceiver()]);
  let registry: TestRegistry = first;
  stack.defer(() => redis.stop());
  stack.defer(() => registry.stop());
  stack.use(receiver);
  const proxy = stack.use(await startRegistryProxy(registry.port));
  const client = stack.use(connect(registry.url));
  const sinks = [{ id: 'hook', type: 'webhook', url: `${receiver.url}/events` }];
  const workers = stack.use(
    await setUpWorkers({
      redisUrl: redis.url,
      prefix: 'faults',
      registry: proxy.host,
      pki: makePki(),
      config: { sinks, ...config, ...located(proxy) },
    }),
  );

  async function settled(repository: string, digest: Digest): Promise<void> {
    const image = `${REGISTRY}/${repository}@${digest}`;
    await until('the verdict', async () => (await workers.ledger.latest(image)).length > 0);
    await untilIdle(workers);
  }

  async function killRegistry(): Promise<{ readonly back: Promise<void> }> {
    const { port } = registry;
    await registry.kill();
    const back = startRegistry({ dir, port }).then((started) => {
      registry = started;
    });
    return { back };
  }

  return {
    redis,
    attached: () => attachedTimes(proxy),
    killRegistry,
    proxy,
    client,
    workers,
    receiver,
    settled,
    async pushed(repository) {
      const digest = await push(client, repository, '1.0', await smallImage(repository.replaceAll('/', '-')));
      const image = { registry: REGISTRY, repository, tag: '1.0', digest };
      await workers.queues.enqueueImage('push', imageJob(repository, { image }));
      return digest;
    },
    async wholeOnce(repository, digest) {
      await settled(repository, digest);
      const { layers } = await readAttached(client, repository, digest);
      const types = await Promise.all(layers.map((layer) => readStatementOf(client, repository, layer)));
      assert.deepEqual(
        types.map(({ statement }) => statement.predicateType),
        ['https://cyclonedx.org/bom', 'https://slsa.dev/provenance/v1'],
      );
      const [state] = await workers.ledger.latest(`${REGISTRY}/${repository}@${digest}`);
      assert.equal(state?.verdict?.outcome, 'pass');
      assert.deepEqual(await workers.dead.list({ limit: 10 }), []);
      await until('the events', async () => toldOf(receiver, digest).length >= 2);
      assert.deepEqual(toldOf(receiver, digest), ['evidence.attached', 'verdict.first']);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** The types of the events about an image, each id once, sorted. */
function toldOf({ received }: HttpReceiver, digest: Digest): readonly string[] {
  const events = received.map(({ body }) => JSON.parse(body) as CloudEvent);
  const about = new Map(events.filter(({ subject }) => subject.endsWith(digest)).map(({ id, type }) => [id, type]));
  return [...about.values()].map((type) => type.replace(/^dev\.attestry\.|\.v1$/g, '')).sort();
}

/** How often the registry took a list of attestations. */
export function attachedTimes({ answered }: RegistryProxy): number {
  return answered.filter((line) => ATTACH.test(line)).length;
}
