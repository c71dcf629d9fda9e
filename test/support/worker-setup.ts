import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { createProcessParts } from '#compose/process-parts.ts';
import { type RunningWorker, startWorker } from '#compose/worker.ts';
import { loadConfig } from '#config/load.ts';
import { createRedisLedger } from '#ledger/redis-ledger.ts';
import type { Ledger, Outbox } from '#model/ledger.ts';
import { createDeadLetters, type DeadLetters } from '#queue/dead-letters.ts';
import { createJobQueues, type JobQueues } from '#queue/queues.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import { chainSet, clusterPolicy } from './cluster-policy.ts';
import { REGISTRY } from './installation.ts';
import type { Pki } from './pki.ts';

export interface WorkerSettings {
  readonly redisUrl: string;
  readonly prefix: string;
  /** What is dialled as `REGISTRY`: host and port. */
  readonly registry: string;
  readonly pki: Pki;
  /** Sections of the configuration, over those of a rule that wants both types and one policy. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A configuration on disk, and the way into the queue of its workers. */
export interface WorkerSetup extends AsyncDisposable {
  readonly file: string;
  readonly dir: string;
  readonly store: RedisConnection;
  readonly queues: JobQueues;
  readonly dead: DeadLetters;
  readonly ledger: Ledger & Outbox;
  /** A worker in this process. */
  start(): Promise<RunningWorker>;
  /** A worker in a process of its own, ready when this resolves. */
  spawn(): Promise<WorkerProcess>;
}

export interface WorkerProcess extends AsyncDisposable {
  readonly pid: number;
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL' | 'SIGTERM'): void;
  /** Resolves when it has ended; answers its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

const MAIN = fileURLToPath(new URL('../../worker/cli/main.ts', import.meta.url));

export async function setUpWorkers(settings: WorkerSettings): Promise<WorkerSetup> {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-worker-'));
  const file = await writeFiles(dir, settings);
  const { redisUrl: url, prefix } = settings;
  const store = await connectRedis({ url, role: 'store', name: 'test' });
  const queues = createJobQueues({ connection: store, prefix });
  const dead = createDeadLetters({ connection: store, prefix, queues });
  const started: AsyncDisposable[] = [];

  async function keep<Running extends AsyncDisposable>(running: Promise<Running>): Promise<Running> {
    const made = await running;
    started.push(made);
    return made;
  }

  return {
    file,
    dir,
    store,
    queues,
    dead,
    ledger: createRedisLedger(store.client, { prefix }),
    start: () => keep(startHere(file)),
    spawn: () => keep(spawnWorker(file)),
    async [Symbol.asyncDispose]() {
      await Promise.all(started.map((running) => running[Symbol.asyncDispose]()));
      await dead.close();
      await queues.close();
      await store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function writeFiles(dir: string, { redisUrl, prefix, registry, pki, config }: WorkerSettings): Promise<string> {
  const attestors = [chainSet([pki.chainPem])];
  const attestations = ['https://cyclonedx.org/bom', 'https://slsa.dev/provenance/v1'].map((type) => ({
    type,
    attestors,
  }));
  const policy = clusterPolicy([], { element: { imageReferences: [`${REGISTRY}/*`], attestations } });
  await writeFile(join(dir, 'key.pem'), pki.leaf.keyPem);
  await writeFile(join(dir, 'certificate.pem'), pki.leaf.pem);
  await writeFile(join(dir, 'chain.pem'), pki.chainPem);
  await writeFile(join(dir, 'signed.yaml'), policy);
  const file = join(dir, 'attestry.yaml');
  const evidence = ['cyclonedx', 'slsaprovenance1'].map((type) => ({ type, signer: 'ca' }));
  const installation = (level: string) =>
    stringify({
      version: 1,
      redis: { url: redisUrl, prefix },
      registries: [{ name: REGISTRY, address: registry }],
      signers: [{ id: 'ca', type: 'x509', key: 'file:key.pem', certificate: 'certificate.pem', chain: 'chain.pem' }],
      policies: [{ id: 'signed', file: 'signed.yaml', every: '1h' }],
      rules: [{ name: 'all', evidence, policies: 'signed' }],
      worker: { listen: { host: '127.0.0.1', port: 0 }, stopTimeout: '20s' },
      log: { level },
      ...config,
    });
  await writeFile(file, installation('silent'));
  // Processes tell by their log that they started.
  await writeFile(loudFile(file), installation('info'));
  return file;
}

function loudFile(file: string): string {
  return file.replace(/\.yaml$/, '-loud.yaml');
}

/** A worker in this process, from the same file as one of its own. */
async function startHere(file: string): Promise<RunningWorker> {
  const config = await loadConfig(file, { readFile, env: {} }, 'worker');
  return startWorker(
    createProcessParts(config, 'test', {
      env: {},
      readFile,
      readFileSync,
      now: () => new Date(),
      randomBytes: (count) => randomBytes(count),
    }),
  );
}

/** The worker as `attestry worker` runs it. It prints that it started before it takes jobs. */
const spawnWorker = (file: string) => spawnProcess(file, 'worker');

const children = new Set<ChildProcess>();

function killAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** `attestry worker` or `attestry producer` in a process of its own, ready when this resolves. */
export async function spawnProcess(
  file: string,
  role: 'worker' | 'producer',
  env: Readonly<Record<string, string>> = {},
): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [MAIN, role, '--config', loudFile(file)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: tmpdir(), ...env },
  });
  if (children.size === 0) process.once('exit', killAll);
  children.add(child);
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => {
      children.delete(child);
      if (children.size === 0) process.off('exit', killAll);
      resolve(signal ?? code);
    });
  });
  await saysStarted(child, role, ended);
  return {
    pid: child.pid ?? 0,
    signal: (name) => void child.kill(name),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function saysStarted(child: ChildProcess, role: string, ended: Promise<unknown>): Promise<void> {
  let output = '';
  const started = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-5000);
        if (output.includes(`${role} started`)) resolve();
      });
    }
  });
  const first = await Promise.race([started.then(() => 'started'), ended]);
  if (first !== 'started') throw new Error(`the ${role} did not start: ${output}`);
}

const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 60_000;

/** Waits until something is so; fails only when it is not so for far longer than it may take. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const giveUp = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > giveUp) throw new Error(`waited in vain: ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** Waits until no lane has a job that waits, runs or is put off. */
export function untilIdle({ queues }: Pick<WorkerSetup, 'queues'>): Promise<void> {
  return until('all jobs are done', async () =>
    (await queues.counts()).every(({ waiting, active, delayed }) => waiting + active + delayed === 0),
  );
}
