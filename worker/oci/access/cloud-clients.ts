import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudContext } from '#cloud/context.ts';
import type { HttpClient } from '#http/client.ts';
import type { EnvironmentProxy } from '#http/environment-proxy.ts';
import { createHttpClient } from '#http/undici-client.ts';
import { AppError } from '#model/errors.ts';
import type { KeySettings } from '#model/key-settings.ts';

export interface CloudClients {
  context(settings: KeySettings): CloudContext;
  close(): Promise<void>;
}

/** The ways to the clouds that let us into registries: a client for each host, which reaches that host alone. */
export function createCloudClients({
  userAgent,
  environmentProxy,
  now,
}: {
  readonly userAgent: string;
  readonly environmentProxy?: EnvironmentProxy;
  readonly now: () => Date;
}): CloudClients {
  const clients = new Map<string, Promise<HttpClient>>();

  async function open(url: URL, caFile: string | undefined): Promise<HttpClient> {
    return createHttpClient({
      allowedHosts: [url.host],
      userAgent,
      ...(caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') }),
      ...(environmentProxy ? { environmentProxy } : {}),
    });
  }

  function http(url: URL, caFile?: string): Promise<HttpClient> {
    const key = `${url.host}\n${caFile ?? ''}`;
    const known = clients.get(key);
    if (known) return known;
    const made = open(url, caFile);
    clients.set(key, made);
    // A CA file that could not be read may be there next time.
    made.catch(() => clients.delete(key));
    return made;
  }

  return {
    context: (settings) => ({ settings, http, now, wait, readFile: (path) => readFile(path) }),
    async close() {
      const closing = [...clients.values()];
      clients.clear();
      for (const client of await Promise.allSettled(closing)) {
        if (client.status === 'fulfilled') await client.value.close();
      }
    },
  };
}

async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    throw new AppError('canceled', 'waiting for credentials was canceled', { cause: error });
  }
}
