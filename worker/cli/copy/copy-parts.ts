import { setTimeout as delay } from 'node:timers/promises';
import type { CommandIo } from '#cli/command.ts';
import type { Endpoint } from '#cli/copy/endpoint.ts';
import { createSerialLock } from '#cli/copy/serial-lock.ts';
import { noOwnPushes } from '#cli/local-engine.ts';
import { loadParts } from '#cli/run-processes.ts';
import { dockerConfigPath, readEnvironmentProxy } from '#compose/environment.ts';
import { configuredRegistries } from '#compose/process-parts.ts';
import type { CopyPorts } from '#copy/copy-ports.ts';
import { createPace, type Pace } from '#copy/pace.ts';
import { createPersist } from '#copy/persist.ts';
import type { Place } from '#copy/place.ts';
import { createBlobCarrier } from '#copy/transfer.ts';
import type { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import { createLayoutTarget } from '#oci/layout-directory.ts';
import { createRegistries } from '#oci/registries.ts';
import type { Registries, Target } from '#oci/target.ts';
import { createEvidenceLock } from '#redis/evidence-lock.ts';
import { createOwnPushes } from '#redis/own-pushes.ts';

export interface CopyBudget {
  readonly concurrency: number;
  readonly requestsPerSecond?: number;
  readonly bytesPerSecond?: number;
}

export interface CopyParts extends AsyncDisposable {
  readonly ports: CopyPorts;
  place(endpoint: Endpoint): Place;
}

/** Milliseconds after which a writer that says nothing has lost its evidence location. */
const LEASE_MS = 10_000;

/**
 * What a run copies with. With a configuration: its registries and the lock of its workers in Redis. Without: any
 * registry, and one writer per location in this process.
 */
export async function openCopyParts(
  config: string | undefined,
  budget: CopyBudget,
  io: CommandIo,
  onWait: (registry: string, ms: number, error: AppError) => void,
): Promise<CopyParts> {
  const pace = createPace({ ...budget, now: () => performance.now(), sleep });
  const persist = createPersist({ pace, sleep, onWait });
  const carrier = createBlobCarrier({ pace, persist, concurrency: budget.concurrency });
  const stack = new AsyncDisposableStack();
  try {
    const { registries, lock, ownPushes } = await surroundings(config, pace, io, stack);
    stack.defer(() => registries.close());
    return {
      ports: { lock, ownPushes, carrier, persist, pace },
      place: createPlaces(registries),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function surroundings(
  config: string | undefined,
  { turn }: Pace,
  io: CommandIo,
  stack: AsyncDisposableStack,
): Promise<Pick<CopyPorts, 'lock' | 'ownPushes'> & { readonly registries: Registries }> {
  if (config === undefined) {
    const registries = createRegistries([], {
      userAgent: `${TOOL_NAME}/${TOOL_VERSION}`,
      now: io.now,
      secrets: (reference) => new Secret('', reference),
      dockerConfigPath: dockerConfigPath(io.env),
      ...readEnvironmentProxy(io.env),
      unlisted: 'allow',
      turn,
    });
    return { registries, lock: createSerialLock(), ownPushes: noOwnPushes };
  }
  const parts = await loadParts(config, 'copy', 'none', io);
  const { client } = stack.use(await parts.connect('store'));
  const { prefix } = parts.config.redis;
  return {
    registries: configuredRegistries(parts, { turn }),
    lock: createEvidenceLock(client, { prefix, leaseMs: LEASE_MS }),
    ownPushes: createOwnPushes(client, { prefix }),
  };
}

/** One target a folder, so that its writers take turns. */
function createPlaces(registries: Registries): (endpoint: Endpoint) => Place {
  const layouts = new Map<string, Target>();
  return (endpoint) => {
    if (endpoint.kind === 'registry') {
      const registry = registries.nameOf(endpoint.registry);
      return { target: registries.target(registry), registry, repository: endpoint.repository };
    }
    const { path } = endpoint;
    const target = layouts.get(path) ?? createLayoutTarget(path, 'single');
    layouts.set(path, target);
    return { target, registry: path, repository: 'layout', name: `oci:${path}`, isFolder: true };
  };
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {});
}
