import type { Dispatch } from '#compose/dispatch.ts';
import type { ProcessParts } from '#compose/process-parts.ts';
import type { EventContext } from '#events/cloud-event.ts';
import { sourceHeardAgain, sourceSilent } from '#events/source-events.ts';
import { patienceMs } from '#reconcile/silence.ts';
import type { HeardSources } from '#redis/heard-sources.ts';
import type { Metrics } from '#telemetry/metrics.ts';

export interface SourceWatchParts extends Pick<ProcessParts, 'config' | 'now'> {
  readonly heard: HeardSources;
  readonly metrics: Metrics;
  dispatch: Dispatch;
  context(): EventContext;
}

/** Looks when each source spoke: what this answers, called regularly, tells of those that fell silent or speak again. */
export function watchSources(parts: SourceWatchParts): () => Promise<void> {
  const { config, heard, metrics, now } = parts;
  metrics.onScrape(async () => {
    for (const { id: source } of config.sources) {
      const found = await heard.look(source);
      if (!found) continue;
      metrics.set('attestry_source_last_heard_timestamp', { source }, found.last.getTime() / 1000);
      metrics.set('attestry_source_silent', { source }, found.silentSince === undefined ? 0 : 1);
      if (found.lagMs !== undefined) metrics.set('attestry_source_lag_seconds', { source }, found.lagMs / 1000);
    }
  });

  return async () => {
    for (const { id: source, silentAfter } of config.sources) {
      const found = await heard.look(source);
      if (!found) continue;
      const { last, silentSince } = found;
      if (silentSince !== undefined && last > silentSince) {
        // Told before it is noted: a worker that dies in between tells it again, and the event is the same.
        await parts.dispatch(sourceHeardAgain({ source, since: silentSince, heardAt: last }, parts.context()));
        await heard.told(source, undefined);
      }
      const patience = patienceMs(found, silentAfter);
      const silent = patience !== undefined && now().getTime() - last.getTime() > patience;
      if (!silent || silentSince?.getTime() === last.getTime()) continue;
      await parts.dispatch(sourceSilent({ source, last, patienceMs: patience }, parts.context()));
      await heard.told(source, last);
    }
  };
}
