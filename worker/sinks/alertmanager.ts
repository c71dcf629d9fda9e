import { ALERTING, wantsEvent } from '#events/route.ts';
import { alertOf } from '#sinks/alert.ts';
import type { SinkDependencies } from '#sinks/dependencies.ts';
import type { AlertmanagerSinkOptions } from '#sinks/options.ts';
import { post } from '#sinks/post.ts';
import { secretHeaders } from '#sinks/secret-headers.ts';
import type { Sink } from '#sinks/sink.ts';

/**
 * Raises alerts in Prometheus Alertmanager, API v2. A firing alert carries an end a few minutes ahead, so it stays only
 * while it is sent again; a resolved one ends at its time.
 */
export function createAlertmanagerSink(options: AlertmanagerSinkOptions, dependencies: SinkDependencies): Sink {
  const { secrets, now, instance } = dependencies;
  const url = new URL(`${options.url.replace(/\/+$/, '')}/api/v2/alerts`);
  const { ca, proxy } = options;
  const client = dependencies.connect({
    url,
    ...(ca === undefined ? {} : { ca }),
    ...(proxy === undefined ? {} : { proxy }),
  });
  return {
    id: options.id,
    wants: (event) => wantsEvent(options.events ?? ALERTING, event),
    async deliver(event, signal) {
      const moment = now();
      const alert = alertOf(event, instance, options.labels, moment);
      if (!alert) return;
      const own = secretHeaders(options.headers, secrets);
      const headers = { 'content-type': 'application/json', ...own };
      const content = { url, headers, body: JSON.stringify([alert]), secrets: Object.values(own) };
      await post(options.id, client, content, signal, moment);
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}
