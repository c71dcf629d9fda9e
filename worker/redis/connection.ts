import { Redis, type RedisOptions } from 'ioredis';
import { AppError } from '#model/errors.ts';
import type { Secret } from '#model/secret.ts';
import { toRedisError } from '#redis/redis-error.ts';

/**
 * What a connection is for:
 * `producer` answers a waiting sender: a call fails within half a second;
 * `store` serves a job: a call outlives a short restart of Redis;
 * `worker` is handed to the queue's blocking reads, which must never be given up;
 * `waiter` waits for replicas and disk, which takes as long as it is told to;
 * `check` is one look: no second attempt.
 */
export type RedisRole = 'producer' | 'store' | 'worker' | 'waiter' | 'check';

export interface RedisTls {
  /** PEM. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: Secret;
  readonly serverName?: string;
}

export interface ConnectOptions {
  /** `redis://` or `rediss://` (TLS), with host, port and database number; credentials may be in it. */
  readonly url: string;
  readonly role: RedisRole;
  /** Shown by Redis in CLIENT LIST. */
  readonly name: string;
  readonly username?: string;
  readonly password?: Secret;
  readonly tls?: RedisTls;
  /** Milliseconds until the server must have answered for the first time. */
  readonly readyTimeoutMs?: number;
  /** Told of each failure of an established connection; it is made again by itself. */
  readonly onError?: (error: AppError) => void;
}

export interface RedisConnection extends AsyncDisposable {
  readonly client: Redis;
  readonly role: RedisRole;
  /** `host:port/db`, safe to print. */
  readonly address: string;
  close(): Promise<void>;
}

const READY_TIMEOUT_MS = 5000;
const QUIT_WITHIN_MS = 1000;

/** The driver chooses its reply types by that member alone; we keep its default. */
type Settings = Omit<RedisOptions, 'replyMapping'>;

// `socketTimeout` makes a connection anew whose peer vanished without a word while a command waits for its answer; a
// worker's blocking reads are answered within ten seconds. `reconnectMs` is the longest pause between two attempts.
const ROLES: Readonly<Record<RedisRole, Settings & { readonly reconnectMs?: number }>> = {
  producer: { commandTimeout: 500, socketTimeout: 5000, maxRetriesPerRequest: 1, reconnectMs: 500 },
  store: { commandTimeout: 5000, socketTimeout: 10_000, maxRetriesPerRequest: 10, reconnectMs: 1000 },
  worker: { socketTimeout: 30_000, maxRetriesPerRequest: null, reconnectMs: 2000 },
  waiter: { socketTimeout: 30_000, maxRetriesPerRequest: 0, reconnectMs: 500 },
  check: { commandTimeout: 2000, maxRetriesPerRequest: 0 },
};

/**
 * Connects, and hands the client over only when the server answers: a client that is used before it is ready and may
 * not queue would end the process.
 * @throws AppError `config-invalid`, `redis-unavailable`, `redis-unsuitable` (credentials refused)
 */
export async function connectRedis(options: ConnectOptions): Promise<RedisConnection> {
  const target = parseUrl(options.url);
  const { reconnectMs, ...settings } = ROLES[options.role];
  let closing = false;
  const client = new Redis({
    ...target.options,
    ...settings,
    // The queue makes copies of this client, options and all: without the flag they would look for a Redis that is gone
    // for as long as the process lives.
    retryStrategy: (attempt) => (closing || reconnectMs === undefined ? null : backoff(attempt, reconnectMs)),
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password.reveal() }),
    ...tlsOptions(options.tls, target.secure),
    connectionName: options.name,
    connectTimeout: 2000,
    keepAlive: 10_000,
    lazyConnect: true,
  });
  await ready(client, target.address, options.readyTimeoutMs ?? READY_TIMEOUT_MS, options.role === 'check');
  // Without a listener the driver prints to the console.
  client.on('error', (error) => options.onError?.(toRedisError(error, `Redis ${target.address}`)));
  const close = () => {
    closing = true;
    return end(client);
  };
  return { client, role: options.role, address: target.address, close, [Symbol.asyncDispose]: close };
}

async function ready(client: Redis, address: string, timeoutMs: number, once: boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let last: unknown = new Error('Connection is closed');
  const onError = (error: unknown) => {
    last = error;
    if (once || toRedisError(error, '').code === 'redis-unsuitable') reject(error);
  };
  const timer = setTimeout(() => reject(last), timeoutMs);
  client.on('error', onError);
  client.once('ready', resolve);
  client.once('end', () => reject(last));
  // Its rejection is told by the events above as well.
  client.connect().catch(onError);
  try {
    await promise;
  } catch (error) {
    client.disconnect();
    throw toRedisError(error, `Redis ${address}`);
  } finally {
    clearTimeout(timer);
    client.off('error', onError);
    client.off('ready', resolve);
  }
}

/** Says goodbye, but never waits for a server that is gone. */
async function end(client: Redis): Promise<void> {
  if (client.status === 'end') return;
  const ended = Promise.withResolvers<void>();
  client.once('end', ended.resolve);
  // Between two attempts to connect there is nothing to end, and the driver tells of no end.
  if (client.status !== 'ready') {
    const between = client.status === 'reconnecting' || client.status === 'close';
    client.disconnect();
    return between ? undefined : ended.promise;
  }
  const patience = setTimeout(() => client.disconnect(), QUIT_WITHIN_MS);
  try {
    await client.quit();
  } catch {
    client.disconnect();
  } finally {
    clearTimeout(patience);
  }
}

function backoff(attempt: number, capMs: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), capMs);
}

function parseUrl(text: string): { options: Settings; address: string; secure: boolean } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const db = url?.pathname.replace(/^\//, '') ?? '';
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === '' || !/^\d*$/.test(db)) {
    // The text itself may hold a password.
    throw new AppError('config-invalid', 'the address of Redis is not a redis:// or rediss:// URL', {
      field: 'redis.url',
      mend: 'write redis://host:6379/0, or rediss:// for TLS',
    });
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || 6379);
  const options = {
    host,
    port,
    db: Number(db || 0),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  };
  return { options, address: `${url.hostname}:${port}/${options.db}`, secure: url.protocol === 'rediss:' };
}

function tlsOptions(tls: RedisTls | undefined, secure: boolean): Settings {
  if (!secure && !tls) return {};
  return {
    tls: {
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.certificate === undefined ? {} : { cert: tls.certificate }),
      ...(tls?.key === undefined ? {} : { key: tls.key.reveal() }),
      ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
    },
  };
}
