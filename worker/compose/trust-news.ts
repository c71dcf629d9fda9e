import type { Dispatch } from '#compose/dispatch.ts';
import type { EventContext } from '#events/cloud-event.ts';
import { trustStale } from '#events/watch-events.ts';
import type { Logger } from '#telemetry/log.ts';
import type { Metrics } from '#telemetry/metrics.ts';
import type { TrustRefresh } from '#trust/trust-source.ts';

export interface TrustNewsParts {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly dispatch: Dispatch;
  context(): EventContext;
}

/** Tells how fetching trust material ended: counted each time, and an event a day while it fails. */
export function tellTrustRefresh(refresh: TrustRefresh, { log, metrics, dispatch, context }: TrustNewsParts): void {
  switch (refresh.kind) {
    case 'fetched':
      metrics.count('attestry_trust_fetches_total', { outcome: 'fetched' });
      log.info({ trust: refresh.id, expires: refresh.expires }, 'trust material fetched');
      break;
    case 'failed': {
      const { id, error, expires } = refresh;
      metrics.count('attestry_trust_fetches_total', { outcome: expires ? 'kept' : 'failed' });
      log.warn({ trust: id, expires, err: error }, 'trust material not fetched');
      const facts = { id, code: error.code, reason: error.message, ...(expires ? { expires } : {}) };
      dispatch(trustStale(facts, context())).catch((failed: unknown) => {
        log.warn({ err: failed }, 'event not handed on');
      });
    }
  }
}
