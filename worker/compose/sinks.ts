import type { ProcessParts } from '#compose/process-parts.ts';
import { createHttpClient } from '#http/undici-client.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createSink } from '#sinks/index.ts';
import type { Sink } from '#sinks/sink.ts';

/** The configured sinks, each with an HTTP client that reaches its own receiver and nothing else. */
export function createSinks(parts: ProcessParts, redis: RedisConnection): readonly Sink[] {
  const { instance, sinks } = parts.config;
  return sinks.map((options) =>
    createSink(options, {
      connect: ({ url, ca, proxy }) =>
        createHttpClient({
          allowedHosts: [url.host],
          userAgent: `${TOOL_NAME}/${TOOL_VERSION}`,
          ...(ca === undefined ? {} : { ca: parts.readFileSync(ca).toString('utf8') }),
          ...(proxy === undefined ? {} : { proxy: { url: new URL(proxy) } }),
        }),
      redis: redis.client,
      secrets: parts.secrets,
      now: parts.now,
      instance: { id: instance.id, ...(instance.url === undefined ? {} : { url: instance.url }) },
    }),
  );
}
