import { readEnvironmentProxy } from '#compose/environment.ts';
import type { HttpClient } from '#http/client.ts';
import { createHttpClient } from '#http/undici-client.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';

/** A server that the configuration names. */
export interface NamedServer {
  /** The hosts that the client may reach; `any` where the environment of a job names them. */
  readonly hosts: readonly string[] | 'any';
  /** PEM file. */
  readonly ca?: string;
  readonly proxy?: string;
}

/** HTTP clients of the servers that signing depends on. */
export interface Outbound extends AsyncDisposable {
  client(server: NamedServer): Promise<HttpClient>;
}

export interface OutboundSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readFile(path: string): Promise<Buffer>;
  /** No host may be reached, whatever asks. */
  readonly offline?: boolean;
}

/** Each client reaches its own servers and nothing else; connections are made at the first request. */
export function createOutbound({ env, readFile, offline }: OutboundSurroundings): Outbound {
  const clients: HttpClient[] = [];
  return {
    async client({ hosts, ca, proxy }) {
      const client = createHttpClient({
        allowedHosts: offline ? [] : hosts,
        userAgent: `${TOOL_NAME}/${TOOL_VERSION}`,
        ...(ca === undefined ? {} : { ca: (await readFile(ca)).toString('utf8') }),
        ...(proxy === undefined ? {} : { proxy: { url: new URL(proxy) } }),
        ...readEnvironmentProxy(env),
      });
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
