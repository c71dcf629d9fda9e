import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { createProcessParts } from '#compose/process-parts.ts';
import { loadConfig } from '#config/load.ts';
import { sha256 } from '#model/digest.ts';
import { OCI_MANIFEST } from '#model/media-types.ts';
import { type RunningProducer, startProducer } from '#producer/main.ts';
import { createJobQueues } from '#queue/queues.ts';
import { connectRedis } from '#redis/connection.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/worker-setup.ts';

const env = { TOKEN: 'token-of-the-sender' };

/** The producer as it is started from a file, in front of a Redis whose writes are to be safe so. */
async function startWith({ url }: TestRedis, durability: object): Promise<RunningProducer> {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-durable-'));
  const file = join(dir, 'attestry.yaml');
  const installation = {
    version: 1,
    redis: { url, prefix: 'durable', ...durability },
    registries: [{ name: 'registry.test' }],
    sources: [{ id: 'hub', sender: 'distribution', registry: 'registry.test', auth: { bearer: 'env:TOKEN' } }],
    producer: { listen: { host: '127.0.0.1', port: 0 } },
    log: { level: 'silent' },
  };
  try {
    await writeFile(file, stringify(installation));
    const config = await loadConfig(file, { readFile, env }, 'producer');
    const surroundings = { env, readFile, readFileSync, now: () => new Date(), randomBytes };
    return await startProducer(createProcessParts(config, 'producer', surroundings));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** What a registry sends of one push; the same `name` is the same push. */
async function send({ url }: RunningProducer, name: string): Promise<Response> {
  const target = { mediaType: OCI_MANIFEST, repository: 'team/app', tag: name, digest: sha256(name) };
  return await fetch(`${url}/hooks/hub`, {
    method: 'POST',
    headers: { authorization: `Bearer ${env.TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ events: [{ id: name, action: 'push', target }] }),
  });
}

async function waiting({ url }: TestRedis): Promise<number | undefined> {
  await using connection = await connectRedis({ url, role: 'store', name: 'test' });
  await using queues = createJobQueues({ connection, prefix: 'durable' });
  return (await queues.counts()).find(({ lane }) => lane === 'push')?.waiting;
}

/** Until the replica has a copy and follows. */
async function following({ url }: TestRedis): Promise<void> {
  await using connection = await connectRedis({ url, role: 'store', name: 'test' });
  while (!(await connection.client.info('replication')).includes('master_link_status:up')) await sleep(50);
}

test('a push that no replica has is answered 503 and sent again; the repetition is taken and makes no second job', async () => {
  await using master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  await using replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${master.port}`] });
  await following(replica);
  await using producer = await startWith(master, { durability: { replicas: 1, timeout: '1s' } });
  assert.equal((await send(producer, 'first')).status, 202);

  replica.pause();
  const refused = await send(producer, 'second');
  assert.equal(refused.status, 503);
  assert.match(refused.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  const { reason, results } = (await refused.json()) as { reason?: string; results?: unknown };
  assert.deepEqual({ reason, results }, { reason: 'unavailable', results: undefined }, 'nothing in it reads as taken');
  // Nor is the same delivery taken for one that was accepted.
  assert.equal((await send(producer, 'second')).status, 503);

  replica.resume();
  await following(replica);
  const again = await send(producer, 'second');
  assert.equal(again.status, 202);
  const [result] = ((await again.json()) as { results: readonly { status: string }[] }).results;
  assert.equal(result?.status, 'duplicate');
  assert.equal(await waiting(master), 2);
  // What was answered 202 is at the replica when the server is gone for good.
  await master.kill();
  assert.equal(await waiting(replica), 2);
});

test('what was answered 202 outlives kill -9 of a Redis that syncs always', async () => {
  await using redis = await startRedis();
  await using producer = await startWith(redis, {});
  const pushes = Array.from({ length: 20 }, (_, at) => `app-${at}`);
  // Killed right after the last answer: nothing is left to a timer or to a clean end.
  for (const { status } of await Promise.all(pushes.map((name) => send(producer, name)))) assert.equal(status, 202);
  await redis.kill();
  const lost = await send(producer, 'while-away');
  assert.equal(lost.status, 503);
  assert.match(lost.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  await redis.restart();
  assert.equal(await waiting(redis), 20);
  // The sender brings what it was refused, once the producer is connected again.
  await until('it is taken', async () => (await send(producer, 'while-away')).status === 202);
  assert.equal(await waiting(redis), 21);
});
