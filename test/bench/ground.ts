import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Target } from '#oci/target.ts';
import { createBackfillMemory } from '#redis/backfill-memory.ts';
import { REGISTRY } from '../support/installation.ts';
import { makePki } from '../support/pki.ts';
import { startRedis } from '../support/redis.ts';
import { freePort, startRegistry } from '../support/registry.ts';
import { connect } from '../support/registry-target.ts';
import { setUpWorkers, spawnProcess, type WorkerSetup } from '../support/worker-setup.ts';
import { storeImages } from './stored-images.ts';

const HOOK = 'token-of-the-registry';
const PREFIX = 'bench';

/** An installation as it runs: Redis, a registry with content, a producer and a worker in processes of their own. */
export interface BenchGround extends AsyncDisposable {
  readonly client: Target;
  readonly workers: WorkerSetup;
  readonly memory: ReturnType<typeof createBackfillMemory>;
  /** Delivers one notification of a push as the registry would. */
  deliver(repository: string, tag: string, digest: string, mediaType: string): Promise<void>;
}

export interface BenchSettings {
  readonly images: number;
  /** Of the worker's lane of backfills. */
  readonly backfillJobs: number;
}

export async function openBenchGround({ images, backfillJobs }: BenchSettings): Promise<BenchGround> {
  const stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'attestry-bench-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  await storeImages(dir, images);
  const redis = await startRedis();
  stack.defer(() => redis.stop());
  const registry = await startRegistry({ dir });
  stack.defer(() => registry.stop());
  const client = stack.use(connect(registry.url));
  const port = await freePort();
  const workers = stack.use(
    await setUpWorkers({
      redisUrl: redis.url,
      prefix: PREFIX,
      registry: registry.host,
      pki: makePki(),
      config: {
        producer: { listen: { host: '127.0.0.1', port } },
        sources: [
          {
            id: 'registry',
            sender: 'distribution',
            registry: REGISTRY,
            auth: { bearer: 'env:BENCH_HOOK' },
            ratePerHour: 1_000_000,
          },
        ],
        worker: { listen: { host: '127.0.0.1', port: 0 }, concurrency: { backfill: backfillJobs } },
      },
    }),
  );
  const env = { BENCH_HOOK: HOOK };
  stack.use(await spawnProcess(workers.file, 'producer', env));
  stack.use(await spawnProcess(workers.file, 'worker', env));
  return {
    client,
    workers,
    memory: createBackfillMemory(workers.store.client, { prefix: PREFIX }),
    async deliver(repository, tag, digest, mediaType) {
      const event = {
        id: crypto.randomUUID(),
        timestamp: new Date().toISOString(),
        action: 'push',
        target: { mediaType, digest, repository, tag },
        request: { host: REGISTRY },
      };
      const answer = await fetch(`http://127.0.0.1:${port}/hooks/registry`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${HOOK}`,
          'content-type': 'application/vnd.docker.distribution.events.v1+json',
        },
        body: JSON.stringify({ events: [event] }),
      });
      const text = await answer.text();
      if (answer.status !== 200 && answer.status !== 202)
        throw new Error(`the producer answered ${answer.status} ${text}`);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
