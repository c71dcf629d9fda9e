import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createDueSweeps } from '#compose/due-sweeps.ts';
import { configuredRegistries, createProcessParts } from '#compose/process-parts.ts';
import { createRegistryCare } from '#compose/registry-care.ts';
import { createSweeper } from '#compose/sweeps.ts';
import { loadConfig } from '#config/load.ts';
import { createRedisLedger } from '#ledger/redis-ledger.ts';
import type { CloudEvent } from '#model/event.ts';
import { createJobQueues, type JobQueues } from '#queue/queues.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createFirstContact } from '#redis/first-contact.ts';
import { createSweepMemory } from '#redis/sweep-memory.ts';
import { createMetrics } from '#telemetry/metrics.ts';

/** The part of a worker that sweeps, with a clock that a test moves. */
export interface SweepingWorker extends AsyncDisposable {
  /** Looks once what is due. Answers what ended: a report, or the code of what stopped it. */
  look(): Promise<readonly string[]>;
  readonly events: readonly CloudEvent[];
  readonly queues: JobQueues;
  readonly store: RedisConnection;
}

export async function openSweepingWorker(
  registry: Readonly<Record<string, unknown>>,
  { redisUrl, prefix, now }: { readonly redisUrl: string; readonly prefix: string; now(): Date },
  config: Readonly<Record<string, unknown>> = {},
): Promise<SweepingWorker> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'attestry-sweep-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'attestry.yaml');
  const redis = { url: redisUrl, prefix };
  const rules = [{ name: 'all', evidence: [] }];
  await writeFile(
    file,
    stringify({ version: 1, redis, rules, log: { level: 'silent' }, registries: [registry], ...config }),
  );
  const env = { SECRET: 'right' };
  const parts = createProcessParts(await loadConfig(file, { readFile, env }, 'worker'), 'test', {
    env,
    readFile,
    readFileSync,
    now,
    randomBytes: (count) => randomBytes(count),
  });
  const store = stack.use(await parts.connect('store'));
  const queues = stack.use(createJobQueues({ connection: store, prefix }));
  const metrics = createMetrics();
  const events: CloudEvent[] = [];
  const dispatch = async (event: CloudEvent) => void events.push(event);
  const context = () => ({ source: '/test', now: now() });
  const care = createRegistryCare({ ...parts, store, metrics, dispatch, context });
  const registries = configuredRegistries(parts, { turn: care.turn, told: care.told });
  stack.defer(() => registries.close());
  const memory = createSweepMemory(store.client, { prefix });
  const firstContact = createFirstContact(store.client, { prefix });
  const ledger = createRedisLedger(store.client, { prefix });
  const sweeper = createSweeper({ ...parts, registries, memory, ledger, queues, firstContact, budget: care });
  const ends: string[] = [];
  const due = createDueSweeps({
    ...parts,
    sweeper,
    memory,
    dispatch,
    context,
    onEnd: (_registry, end) => void ends.push('error' in end ? end.error.code : `${end.gaps} gaps`),
  });
  const owned = stack.move();
  return {
    events,
    queues,
    store,
    async look() {
      await due(new AbortController().signal);
      return ends.splice(0);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
