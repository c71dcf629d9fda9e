import type { Dispatch } from '#compose/dispatch.ts';
import { createDueSweeps } from '#compose/due-sweeps.ts';
import type { ProcessParts } from '#compose/process-parts.ts';
import { repeat } from '#compose/repeat.ts';
import { createSweeper, type SweeperParts } from '#compose/sweeps.ts';
import type { EventContext } from '#events/cloud-event.ts';
import { backfillNeeded } from '#events/registry-events.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createFirstContact } from '#redis/first-contact.ts';
import { createSweepMemory } from '#redis/sweep-memory.ts';
import type { Metrics } from '#telemetry/metrics.ts';

export interface CatalogWatchParts
  extends Omit<SweeperParts, 'memory' | 'firstContact' | 'onAsk'>,
    Pick<ProcessParts, 'log'> {
  readonly store: RedisConnection;
  readonly metrics: Metrics;
  dispatch: Dispatch;
  context(): EventContext;
}

/** Looks often, for a sweep that was stopped is to go on soon; it costs a line of Redis for each registry. */
const LOOK_EVERY_MS = 15_000;

/** Sweeps what is due: at the start, and for as long as this runs. */
export function watchCatalogs(parts: CatalogWatchParts): AsyncDisposable {
  const { log, metrics, store, config } = parts;
  const stop = new AbortController();
  const memory = createSweepMemory(store.client, { prefix: config.redis.prefix });
  const firstContact = createFirstContact(store.client, { prefix: config.redis.prefix });
  const sweeper = createSweeper({
    ...parts,
    memory,
    firstContact,
    async onAsk(need) {
      const event = backfillNeeded(need, parts.context());
      log.warn(need, event.data.message);
      await parts.dispatch(event);
    },
  });

  const due = createDueSweeps({
    ...parts,
    sweeper,
    memory,
    onEnd(registry, end) {
      if ('error' in end) {
        const { error, stop } = end;
        metrics.count('attestry_sweeps_total', { registry, outcome: 'stopped' });
        const told = { err: error, registry, stops: stop.stops, retryAt: stop.retryAt };
        const what = 'sweep stopped; it goes on where it was';
        // Once in a row: what follows is the same, and comes ever more seldom.
        return stop.stops === 1 ? log.warn(told, what) : log.info(told, what);
      }
      metrics.count('attestry_sweeps_total', { registry, outcome: end.failed > 0 ? 'incomplete' : 'done' });
      if (end.gaps > 0) metrics.count('attestry_sweep_gaps_total', { registry }, end.gaps);
      if (end.failed > 0) log.warn(end, 'registry swept, but for repositories that could not be looked through');
      else log.info(end, 'registry swept');
    },
  });
  const work = () => due(stop.signal);
  const repeated = repeat(work, LOOK_EVERY_MS, (error) => log.warn({ err: error }, 'sweeps not looked at'));
  repeated.soon();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await repeated[Symbol.asyncDispose]();
    },
  };
}
