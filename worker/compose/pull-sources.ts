import { setTimeout as sleep } from 'node:timers/promises';
import { readEnvironmentProxy } from '#compose/environment.ts';
import { createKeySettings } from '#compose/key-settings.ts';
import type { ProcessParts } from '#compose/process-parts.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import { createCloudClients } from '#oci/access/cloud-clients.ts';
import type { Source } from '#producer/intake/source.ts';
import { createNatsFetcher } from '#producer/pull/nats.ts';
import { type Fetcher, type PullNews, type PullPorts, startPuller } from '#producer/pull/puller.ts';
import { createSqsFetcher } from '#producer/pull/sqs.ts';
import type { Metrics } from '#telemetry/metrics.ts';

/** Fetches from every source that is a queue, until it is disposed of. A queue that is away stops nothing else. */
export function startPullSources(
  parts: ProcessParts,
  sources: readonly Source[],
  metrics: Metrics,
  intake: Pick<PullPorts, 'take' | 'ready' | 'keep'>,
): AsyncDisposable {
  const { config, env, now, secrets, readFile, log, randomBytes } = parts;
  const clouds = createCloudClients({
    userAgent: `${TOOL_NAME}/${TOOL_VERSION}`,
    now,
    ...readEnvironmentProxy(env),
  });
  const ports: PullPorts = {
    ...intake,
    tell: (news) => tell(news, metrics, log),
    wait: (ms, signal) => sleep(ms, undefined, { signal }),
    traceparent: () => parts.traceparent(undefined),
    random: () => (randomBytes(1)[0] ?? 0) / 256,
  };
  const byId = new Map(sources.map((source) => [source.id, source]));
  const fetchers = config.sources.flatMap((options): Fetcher[] => {
    const source = byId.get(options.id);
    if (!source) return [];
    if (options.sender === 'ecr-sqs') {
      const context = clouds.context(createKeySettings(options.access, env, secrets));
      return [createSqsFetcher(source, options, context, ports)];
    }
    return options.sender === 'zot-nats' ? [createNatsFetcher(source, options, { secrets, readFile }, ports)] : [];
  });
  const running = fetchers.map((fetcher) => startPuller(fetcher, ports));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((one) => one[Symbol.asyncDispose]()));
      await clouds.close();
    },
  };
}

function tell(news: PullNews, metrics: Metrics, log: ProcessParts['log']): void {
  const { source } = news;
  switch (news.kind) {
    case 'up':
      metrics.set('attestry_pull_up', { source }, 1);
      log.info({ source }, 'fetching from the queue of the source');
      break;
    case 'down': {
      const { code, message, mend } = news.error;
      metrics.set('attestry_pull_up', { source }, 0);
      metrics.count('attestry_pull_failures_total', { source });
      log.warn({ source, code, mend }, message);
      break;
    }
    case 'given-up':
      metrics.count('attestry_pull_given_up_total', { source });
      log.error({ source, message: news.message }, 'a message that cannot be read was put aside');
      break;
  }
}
