import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { freePort } from '#cli/services/free-port.ts';
import { startLocalServices } from '#cli/services.ts';

const HOLDER = fileURLToPath(new URL('./hold-services.ts', import.meta.url));
const path = process.env.PATH ?? '';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'attestry-services-'));
});
// A server that was just killed may still put a file away.
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

function options(more: Partial<Parameters<typeof startLocalServices>[0]> = {}) {
  return { dir: join(folder, 'data'), path, log: () => undefined, ...more };
}

test('both servers answer, and a second run finds what the first one kept', async () => {
  {
    await using services = await startLocalServices(options());
    const base = await fetch(`http://${services.registry?.host}/v2/`);
    assert.equal(base.status, 200);
    await withRedis(services.redis?.url, (redis) => redis.set('kept', 'yes'));
  }
  await using again = await startLocalServices(options({ servers: { redis: true, registry: false } }));
  assert.equal(again.registry, undefined);
  assert.equal(again.dir, join(folder, 'data'));
  assert.equal(await withRedis(again.redis?.url, (redis) => redis.get('kept')), 'yes');
});

test('Redis is as the queue needs it', async () => {
  await using services = await startLocalServices(options({ servers: { redis: true, registry: false } }));
  for (const [name, value] of [
    ['maxmemory-policy', 'noeviction'],
    ['appendonly', 'yes'],
  ] as const) {
    assert.deepEqual(await withRedis(services.redis?.url, (redis) => redis.config('GET', name)), [name, value]);
  }
});

test('two runs at once share neither port nor data', async () => {
  await using one = await startLocalServices(options());
  await using other = await startLocalServices(options());
  assert.equal(other.dir, `${one.dir}-2`);
  assert.notEqual(one.redis?.port, other.redis?.port);
  assert.notEqual(one.registry?.port, other.registry?.port);
});

test('a port in use is stepped around', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const taken = address !== null && typeof address === 'object' ? address.port : 0;
  assert.notEqual(await freePort(taken), taken);
  server.close();
  await once(server, 'close');
  assert.equal(await freePort(taken), taken);
});

test('the servers end with a process that is killed outright', async () => {
  const holder = spawn(process.execPath, [HOLDER, join(folder, 'data')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(holder.stdout, 'data')) as [Buffer];
  const { redis, registry } = JSON.parse(line.toString('utf8')) as { redis: string; registry: string };
  assert.equal((await fetch(`http://${registry}/v2/`)).status, 200);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await untilRefused(`http://${registry}/v2/`);
  await untilRefused(redis.replace('redis:', 'http:'));
});

test('a server that ends by itself is told', async () => {
  await using services = await startLocalServices(options({ servers: { redis: true, registry: false } }));
  await withRedis(services.redis?.url, async (redis) => {
    await redis.shutdown('NOSAVE').catch(() => undefined);
  });
  assert.equal(await services.failed, 'redis');
});

test('a server that does not start is refused with its own words, and nothing stays behind', async () => {
  const program = join(folder, 'redis-server');
  await writeFile(program, '#!/bin/sh\necho "no such luck" >&2\nexit 1\n');
  await chmod(program, 0o755);
  await assert.rejects(
    startLocalServices(options({ path: folder, servers: { redis: true, registry: false } })),
    (error: { code?: string; message?: string }) =>
      error.code === 'server-failed' && /no such luck/.test(error.message ?? ''),
  );
  await assert.rejects(access(join(folder, 'data', 'claim.json')));
});

async function withRedis<T>(url: string | undefined, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url ?? '', { retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

async function untilRefused(url: string): Promise<void> {
  for (;;) {
    try {
      await fetch(url, { signal: AbortSignal.timeout(1000) });
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if ((cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED') return;
    }
    await sleep(50);
  }
}
