import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '#model/digest.ts';
import type { Target } from '#oci/target.ts';
import { REGISTRY } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { type RecordingProxy, startRecordingProxy } from '../../support/recording-proxy.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { startReferrersRegistry } from '../../support/referrers-registry.ts';
import { freePort, startRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { setUpWorkers, spawnProcess, type WorkerSetup } from '../../support/worker-setup.ts';
import type { AttachSize, Form } from './size.ts';

export const FAULT_TYPE = 'https://attestry.dev/fault/';
const TOKEN = 'token-of-the-pipeline';
const HOOK = 'token-of-the-registry';

export interface FaultImage {
  readonly repository: string;
  readonly digest: Digest;
  /** Predicate types that are attached to it. */
  readonly types: readonly string[];
}

/** A real registry behind a recording step, Redis, a producer, and the images; workers are started by whoever tests. */
export interface AttachGround extends AsyncDisposable {
  readonly images: readonly FaultImage[];
  readonly proxy: RecordingProxy;
  readonly redis: TestRedis;
  /** Straight to the registry, past the recording. */
  readonly client: Target;
  readonly workers: WorkerSetup;
  /** Calls the producer's API as a pipeline and operator. */
  call(path: string, body: object): Promise<{ readonly status: number; readonly text: string }>;
}

export async function openAttachGround(form: Form, { digests, each }: AttachSize): Promise<AttachGround> {
  const stack = new AsyncDisposableStack();
  const redis = await startRedis();
  stack.defer(() => redis.stop());
  const port = await freePort();
  const api = `http://127.0.0.1:${port}`;
  const registry = form === 'referrers' ? await withReferrers(stack) : await withoutReferrers(stack, api);
  const proxy = stack.use(await startRecordingProxy(Number(registry.port)));
  const client = stack.use(connect(registry));
  const images: FaultImage[] = [];
  for (let at = 0; at < digests; at++) {
    const repository = `fault/image-${at}`;
    const digest = await push(client, repository, '1.0', await smallImage(`fault-${at}`));
    images.push({ repository, digest, types: Array.from({ length: each }, (_, n) => `${FAULT_TYPE}${at * each + n}`) });
  }
  const workers = stack.use(
    await setUpWorkers({
      redisUrl: redis.url,
      prefix: 'attaches',
      registry: proxy.host,
      pki: makePki(),
      config: {
        rules: images.map((image) => ruleFor(image, form)),
        producer: {
          listen: { host: '127.0.0.1', port },
          api: { operators: [{ name: 'pipeline', token: 'env:ATTACH_TOKEN' }] },
        },
        sources: [{ id: 'registry', sender: 'distribution', registry: REGISTRY, auth: { bearer: 'env:ATTACH_HOOK' } }],
        worker: { listen: { host: '127.0.0.1', port: 0 }, concurrency: { push: 1, cause: 1, deliver: 1 } },
      },
    }),
  );
  stack.use(await spawnProcess(workers.file, 'producer', { ATTACH_TOKEN: TOKEN, ATTACH_HOOK: HOOK }));

  return {
    images,
    proxy,
    redis,
    client,
    workers,
    async call(path, body) {
      const response = await fetch(new URL(path, api), {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: response.status, text: await response.text() };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function withReferrers(stack: AsyncDisposableStack): Promise<URL> {
  return stack.use(await startReferrersRegistry()).url;
}

/** A Distribution that tells the producer of every manifest that is pushed. */
async function withoutReferrers(stack: AsyncDisposableStack, api: string): Promise<URL> {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-storage-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const registry = await startRegistry({
    dir,
    notifications: [
      {
        url: `${api}/hooks/registry`,
        headers: { Authorization: `Bearer ${HOOK}` },
        ignore: { actions: ['pull', 'mount'], mediatypes: ['application/octet-stream'] },
      },
    ],
  });
  stack.defer(() => registry.stop());
  return registry.url;
}

function ruleFor({ repository, types }: FaultImage, form: Form): object {
  const layout = form === 'legacy' ? 'cosign-tag' : 'bundle';
  return {
    name: repository.replace('/', '-'),
    match: { repository },
    evidence: types.map((type) => ({ type, signer: 'ca', layout })),
  };
}
