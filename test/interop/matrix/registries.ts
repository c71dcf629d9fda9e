import { toolPath } from '../../../scripts/setup/go-tools.mjs';
import { CLONE } from '../../support/cli.ts';
import { freePort, startRegistry } from '../../support/registry.ts';
import type { Scratch } from '../../support/scratch.ts';
import { answers, startServer } from '../stack/server.ts';
import type { RegistryKind } from './registry-kinds.ts';

export interface RunningRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`: every tool takes it over plain HTTP. */
  readonly host: string;
}

/** Starts one of them, empty. */
export async function startRegistryKind(kind: RegistryKind, scratch: Scratch): Promise<RunningRegistry> {
  switch (kind) {
    case 'distribution-2': {
      const registry = await startRegistry();
      return { host: `127.0.0.1:${registry.port}`, [Symbol.asyncDispose]: () => registry.stop() };
    }
    case 'distribution-3': {
      const host = `127.0.0.1:${await freePort()}`;
      const config = await scratch.write(
        `distribution-3-${host.split(':')[1]}.json`,
        JSON.stringify({
          version: '0.1',
          log: { level: 'error', accesslog: { disabled: true } },
          storage: { filesystem: { rootdirectory: scratch.at(`distribution-3-${host}`) }, delete: { enabled: true } },
          http: { addr: host },
        }),
      );
      return serve(kind, host, 'distribution3', ['serve', config]);
    }
    case 'referrers-api': {
      const host = `127.0.0.1:${await freePort()}`;
      return serve(kind, host, 'referrers-registry', ['-address', host]);
    }
  }
}

async function serve(name: string, host: string, tool: string, args: readonly string[]): Promise<RunningRegistry> {
  const server = await startServer({
    name,
    command: toolPath(CLONE, tool),
    args,
    env: { OTEL_TRACES_EXPORTER: 'none' },
    ready: () => answers(`http://${host}/v2/`),
  });
  return { host, [Symbol.asyncDispose]: () => server.stop() };
}
