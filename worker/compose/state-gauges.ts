import type { Ledger } from '#model/ledger.ts';
import type { JobQueues } from '#queue/queues.ts';
import type { Metrics } from '#telemetry/metrics.ts';

/** Alerts counted at most. */
const MAX_ALERTS = 10_000;

/** Whoever reaches the port may scrape: looking at the whole installation is not to be had more often than this. */
const LOOK_EVERY_MS = 1000;

/** Sets the gauges that describe the whole installation before each scrape. */
export function gaugeState(
  metrics: Metrics,
  queues: Pick<JobQueues, 'counts'>,
  ledger: Pick<Ledger, 'coverage' | 'openAlerts'>,
  now: () => Date,
): void {
  let look: { readonly at: number; readonly done: Promise<void> } | undefined;
  metrics.onScrape(() => {
    const at = now().getTime();
    if (!look || at - look.at >= LOOK_EVERY_MS || at < look.at) look = { at, done: lookAround() };
    return look.done;
  });

  async function lookAround(): Promise<void> {
    metrics.set('attestry_redis_up', {}, 0);
    for (const { lane, waiting, active, delayed, dead } of await queues.counts()) {
      metrics.set('attestry_queue_depth', { lane, state: 'waiting' }, waiting);
      metrics.set('attestry_queue_depth', { lane, state: 'active' }, active);
      metrics.set('attestry_queue_depth', { lane, state: 'delayed' }, delayed);
      metrics.set('attestry_dead_letters', { lane }, dead);
    }
    metrics.set('attestry_redis_up', {}, 1);
    const { byOutcome } = await ledger.coverage();
    metrics.reset('attestry_evidence_coverage');
    for (const [outcome, images] of Object.entries(byOutcome)) {
      metrics.set('attestry_evidence_coverage', { outcome }, images);
    }
    metrics.set('attestry_open_alerts', {}, (await ledger.openAlerts(MAX_ALERTS)).length);
  }
}
