import type { Dispatch } from '#compose/dispatch.ts';
import type { ProcessParts } from '#compose/process-parts.ts';
import { createRegistryBudget, type RegistryBudget } from '#compose/registry-budget.ts';
import type { EventContext } from '#events/cloud-event.ts';
import { registryResumed, registrySuspended } from '#events/registry-events.ts';
import type { OwnBudget } from '#model/budget.ts';
import { createBudgets } from '#redis/budgets.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createHostPause } from '#redis/host-pause.ts';
import { type BreakerState, createRegistryGate } from '#redis/registry-gate.ts';
import type { Metrics } from '#telemetry/metrics.ts';

export interface RegistryCare extends RegistryBudget {
  /** The registries that are not asked now, a line each; empty when all are. */
  notes(): Promise<readonly string[]>;
}

export interface RegistryCareParts extends Pick<ProcessParts, 'config' | 'log' | 'now'> {
  readonly store: RedisConnection;
  readonly metrics: Metrics;
  dispatch: Dispatch;
  context(): EventContext;
}

const SHOWN: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** What all workers together ask of the configured registries: within budgets, and not of those that are down. */
export function createRegistryCare(parts: RegistryCareParts): RegistryCare {
  const { config, store, metrics, log, now } = parts;
  const { prefix } = config.redis;
  const { budgets } = config.worker;
  const { failures, rest, longestRest } = config.worker.breaker;
  const gate = createRegistryGate(store.client, { prefix, failures, restMs: rest, longestRestMs: longestRest });
  const pause = createHostPause(store.client, { prefix });
  const dialled = config.registries.filter(({ directory }) => directory === undefined).map(({ name }) => name);

  // The event is the news, not the work: a job that heard it must not fail of it.
  const tell = (registry: string, event: Parameters<Dispatch>[0]) =>
    parts.dispatch(event).catch((error: unknown) => log.warn({ err: error, registry }, 'event not dispatched'));

  const budget = createRegistryBudget({
    gate,
    pause,
    budgets: createBudgets(store.client, { prefix }),
    ofRegistry: (registry) => ({ ...budgets.registry, ...ownOf(config.registries, ({ name }) => name === registry) }),
    ofSource: (source) => ({ ...budgets.source, ...ownOf(config.sources, ({ id }) => id === source) }),
    shares: budgets.shares,
    now,
    async onOpened(registry, { since, restMs }) {
      log.warn({ registry, restMs }, 'registry fails again and again: it is left alone');
      metrics.count('attestry_registry_breaker_changes_total', { registry, state: 'open' });
      await tell(registry, registrySuspended({ registry, since, restMs }, parts.context()));
    },
    async onClosed(registry, since) {
      log.info({ registry, since }, 'registry answers again');
      metrics.count('attestry_registry_breaker_changes_total', { registry, state: 'closed' });
      await tell(registry, registryResumed({ registry, since }, parts.context()));
    },
    onHeldBack: (registry, reason) => metrics.count('attestry_registry_held_back_total', { registry, reason }),
  });

  metrics.onScrape(async () => {
    for (const registry of dialled) {
      metrics.set('attestry_registry_breaker', { registry }, SHOWN[await gate.state(registry)]);
    }
  });

  async function notes(): Promise<readonly string[]> {
    const looks = await Promise.all(dialled.map(async (registry) => ({ registry, ...(await gate.look(registry)) })));
    return looks.flatMap(({ registry, refusal }) =>
      refusal ? [`registry ${registry}: ${refusal.why}, asked again in ${Math.ceil(refusal.waitMs / 1000)} s`] : [],
    );
  }

  return { ...budget, notes };
}

function ownOf<Entry extends { readonly budget?: OwnBudget }>(
  entries: readonly Entry[],
  isIt: (entry: Entry) => boolean,
): OwnBudget {
  return entries.find(isIt)?.budget ?? {};
}
