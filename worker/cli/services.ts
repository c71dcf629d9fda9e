import { randomUUID } from 'node:crypto';
import { claimDataDirectory } from '#cli/services/data-directory.ts';
import { REDIS } from '#cli/services/redis-server.ts';
import { type Notifications, registryKind } from '#cli/services/registry-server.ts';
import { type StartedServer, startServer } from '#cli/services/start-server.ts';

export interface LocalServicesOptions {
  /** Where the data lives; a second run finds it again. */
  readonly dir: string;
  /** The value of PATH. */
  readonly path: string;
  /** Which servers; both unless told otherwise. */
  readonly servers?: { readonly redis: boolean; readonly registry: boolean };
  /** Where the registry reports pushes; absent: nowhere. */
  readonly notifications?: Notifications;
  /** Takes a line for the user now and then. */
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface LocalServices {
  /** The directory in use: `dir`, or a neighbour when another run holds that one. */
  readonly dir: string;
  /** `url` is `redis://127.0.0.1:PORT`. */
  readonly redis?: { readonly url: string; readonly port: number };
  /** `host` is `localhost:PORT`, to be spoken to over http. */
  readonly registry?: { readonly host: string; readonly port: number };
  /** Resolves with the server's name when one ends without having been stopped. */
  readonly failed: Promise<string>;
  /** Ends the servers in order and gives the directory back; safe to call twice. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts Redis and a registry for one machine, on their usual ports or beside them, and waits until they answer. They
 * end with this process, however that ends.
 * @throws AppError `server-missing`, `server-failed`, `canceled`
 */
export async function startLocalServices(options: LocalServicesOptions): Promise<LocalServices> {
  const wanted = options.servers ?? { redis: true, registry: true };
  const kinds = [...(wanted.redis ? [REDIS] : []), ...(wanted.registry ? [registryKind(options.notifications)] : [])];
  const directory = await claimDataDirectory(options.dir, randomUUID());
  const started: StartedServer[] = [];
  let stopping: Promise<void> | undefined;
  function stop(): Promise<void> {
    stopping ??= stopAll();
    return stopping;
  }
  async function stopAll(): Promise<void> {
    await Promise.all(started.map((server) => server.process.stop()));
    await directory.release();
  }
  try {
    // One after the other: both look for free ports.
    for (const kind of kinds) started.push(await startServer(kind, { ...options, directory }));
  } catch (error) {
    await stop();
    throw error;
  }
  const redis = started.find(({ name }) => name === 'redis');
  const registry = started.find(({ name }) => name === 'registry');
  return {
    dir: directory.path,
    ...(redis ? { redis: { url: `redis://127.0.0.1:${redis.port}`, port: redis.port } } : {}),
    ...(registry ? { registry: { host: `localhost:${registry.port}`, port: registry.port } } : {}),
    failed: firstFailure(started, () => stopping !== undefined),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function firstFailure(started: readonly StartedServer[], isStopping: () => boolean): Promise<string> {
  return new Promise((resolve) => {
    for (const { name, process } of started) {
      void process.ended.then(() => {
        if (!isStopping()) resolve(name);
      });
    }
  });
}
