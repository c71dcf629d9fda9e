import { createAlertmanagerSink } from '#sinks/alertmanager.ts';
import type { SinkDependencies } from '#sinks/dependencies.ts';
import type { SinkOptions } from '#sinks/options.ts';
import { createRedisStreamSink } from '#sinks/redis-stream.ts';
import type { Sink } from '#sinks/sink.ts';
import { createWebhookSink } from '#sinks/webhook.ts';

/** The kinds of sinks, by `type`. */
export const SINK_TYPES = ['alertmanager', 'redis-stream', 'webhook'] as const satisfies readonly SinkOptions['type'][];

/**
 * Makes a sink from its settings.
 * @throws AppError `config-invalid` when a secret that it needs from the start is missing.
 */
export function createSink(options: SinkOptions, dependencies: SinkDependencies): Sink {
  switch (options.type) {
    case 'webhook':
      return createWebhookSink(options, dependencies);
    case 'redis-stream':
      return createRedisStreamSink(options, dependencies);
    case 'alertmanager':
      return createAlertmanagerSink(options, dependencies);
  }
}
