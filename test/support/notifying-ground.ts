import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createProcessParts } from '#compose/process-parts.ts';
import { loadConfig } from '#config/load.ts';
import type { CloudEvent } from '#model/event.ts';
import type { Target } from '#oci/target.ts';
import { type RunningProducer, startProducer } from '#producer/main.ts';
import { startHttpReceiver } from './http-receiver.ts';
import { REGISTRY } from './installation.ts';
import { makePki } from './pki.ts';
import { startRedis } from './redis.ts';
import { freePort, startRegistry } from './registry.ts';
import { type RegistryProxy, startRegistryProxy } from './registry-proxy.ts';
import { connect } from './registry-target.ts';
import { setUpWorkers, type WorkerSetup } from './worker-setup.ts';

/** A registry that tells a producer of what happens to it, and the workers behind, which ask it through a proxy. */
export interface NotifyingGround extends AsyncDisposable {
  readonly producer: RunningProducer;
  readonly workers: WorkerSetup;
  readonly proxy: RegistryProxy;
  /** Straight to the registry, as whoever pushes. */
  readonly client: Target;
  /** Takes a tag away, and leaves the image. */
  untag(repository: string, tag: string): Promise<void>;
  /** Notifications of the registry, as it would send them. */
  deliver(events: readonly object[]): Promise<void>;
  /** Of all events that were told, those of these types: type without its dress, and subject. */
  told(types: RegExp): readonly (readonly [string, string])[];
}

const TOKEN = 'notification-token';

export async function openNotifyingGround(
  config: Readonly<Record<string, unknown>> = {},
  source: Readonly<Record<string, unknown>> = {},
): Promise<NotifyingGround> {
  await using stack = new AsyncDisposableStack();
  const [redis, receiver, port] = await Promise.all([startRedis(), startHttpReceiver(), freePort()]);
  stack.defer(() => redis.stop());
  stack.use(receiver);
  const proxy = stack.use(await startRegistryProxy(port));
  const auth = { bearer: 'env:TOKEN' };
  const workers = stack.use(
    await setUpWorkers({
      redisUrl: redis.url,
      prefix: 'notified',
      registry: proxy.host,
      pki: makePki(),
      config: {
        sinks: [{ id: 'hook', type: 'webhook', url: `${receiver.url}/events` }],
        sources: [{ id: 'hub', sender: 'distribution', registry: REGISTRY, auth, ...source }],
        // The registry names itself by the address at which it is pushed to.
        registries: [{ name: REGISTRY, address: proxy.host, aliases: [`localhost:${port}`] }],
        producer: { listen: { host: '127.0.0.1', port: 0 } },
        ...config,
      },
    }),
  );
  const producer = stack.use(await startHere(workers.file));
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const registry = await startRegistry({ port, notifications: [{ url: `${producer.url}/hooks/hub`, headers }] });
  stack.defer(() => registry.stop());
  const client = stack.use(connect(registry.url));

  async function deliver(events: readonly object[]): Promise<void> {
    const body = JSON.stringify({ events });
    const { status } = await fetch(`${producer.url}/hooks/hub`, { method: 'POST', headers, body });
    if (status !== 200) throw new Error(`the delivery was answered ${status}`);
  }

  const owned = stack.move();
  return {
    producer,
    workers,
    proxy,
    client,
    async untag(repository, tag) {
      // This version takes no tag for a DELETE; what is done and told is what a newer one does and tells.
      const tags = join(registry.dir, 'docker/registry/v2/repositories', repository, '_manifests/tags');
      await rm(join(tags, tag), { recursive: true });
      await deliver([{ id: randomUUID(), action: 'delete', target: { mediaType: '', digest: '', repository, tag } }]);
    },
    deliver,
    told(types) {
      const events = receiver.received.map(({ body }) => JSON.parse(body) as CloudEvent);
      const once = new Map(events.map((event) => [event.id, event]));
      return [...once.values()]
        .map(({ type, subject }) => [type.replace(/^dev\.attestry\.|\.v1$/g, ''), subject] as const)
        .filter(([type]) => types.test(type));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startHere(file: string): Promise<RunningProducer> {
  const env = { TOKEN };
  const config = await loadConfig(file, { readFile, env }, 'producer');
  return startProducer(
    createProcessParts(config, 'producer', {
      env,
      readFile,
      readFileSync,
      now: () => new Date(),
      randomBytes: (count) => randomBytes(count),
    }),
  );
}
