import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';

/** The user of a registry that was started with `htpasswd: true`. */
export const REGISTRY_USER = { username: 'pusher', password: 's3cret-pass' } as const;
const HTPASSWD_LINE = `${REGISTRY_USER.username}:$2b$05$abcdefghijklmnopqrstuuV7fpPozvyqJfnY19y0802WTlXUm6Rjy`;

export interface RegistrySettings {
  /** Receivers of the registry's own notifications. */
  readonly notifications?: readonly {
    readonly name?: string;
    readonly url: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** What is not told: kinds of actions, and media types. */
    readonly ignore?: { readonly actions?: readonly string[]; readonly mediatypes?: readonly string[] };
  }[];
  /** YAML that a person would paste at the end of the registry's own configuration. */
  readonly pasted?: string;
  readonly htpasswd?: boolean;
  readonly token?: {
    readonly realm: string;
    readonly service: string;
    readonly issuer: string;
    /** PEM of the certificate whose key signs the tokens. */
    readonly certificate: string;
  };
  /** Serve TLS with this certificate and key (PEM). */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Refuse deletion, as the registry does by default; allowed here unless false. */
  readonly delete?: boolean;
  /** A fixed port, to start again where another registry stopped. */
  readonly port?: number;
  /** A directory with content, to start again where another registry stopped; not removed at the end. */
  readonly dir?: string;
}

/** A running CNCF Distribution registry. */
export interface TestRegistry {
  /** `localhost:PORT`. */
  readonly host: string;
  readonly port: number;
  readonly url: URL;
  /** The root of its storage. */
  readonly dir: string;
  /** What it logged, for the message of a failing test. */
  log(): string;
  stop(): Promise<void>;
  /** `kill -9`; what was stored stays where `dir` was given. */
  kill(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const START_ATTEMPTS = 5;
const ANSWER_TRIES = 200;

/** Starts the real `docker-registry` on a free port with an empty storage, and waits until it answers. */
export async function startRegistry(settings: RegistrySettings = {}): Promise<TestRegistry> {
  const work = await mkdtemp(join(tmpdir(), 'attestry-registry-'));
  const dir = settings.dir ?? join(work, 'storage');
  for (let attempt = 1; ; attempt++) {
    const port = settings.port ?? (await freePort());
    const running = await launch(settings, work, dir, port);
    if (running) return running;
    // Another process took the port between our look and the registry's bind.
    if (attempt === START_ATTEMPTS || settings.port !== undefined) throw new Error(`no registry on port ${port}`);
  }
}

async function launch(
  settings: RegistrySettings,
  work: string,
  dir: string,
  port: number,
): Promise<TestRegistry | undefined> {
  const config = join(work, 'config.yml');
  const own = stringify(await registryConfig(settings, work, dir, port));
  await writeFile(config, settings.pasted === undefined ? own : `${own}\n${settings.pasted}\n`);
  const child = spawn('docker-registry', ['serve', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: work, OTEL_TRACES_EXPORTER: 'none' },
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => lines.push(text));
  }
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const url = new URL(`${settings.tls ? 'https' : 'http'}://localhost:${port}/`);
  let stopping: Promise<void> | undefined;
  function end(signal: NodeJS.Signals): Promise<void> {
    stopping ??= (async () => {
      child.kill(signal);
      await ended;
      process.off('exit', kill);
      await rm(work, { recursive: true, force: true });
    })();
    return stopping;
  }
  const stop = () => end('SIGTERM');
  if (!(await answers(url, child))) {
    child.kill('SIGKILL');
    await ended;
    process.off('exit', kill);
    if (lines.join('').includes('address already in use')) return undefined;
    throw new Error(`docker-registry did not start: ${lines.join('').slice(-2000) || 'is it installed?'}`);
  }
  return {
    host: url.host,
    port,
    url,
    dir,
    log: () => lines.join(''),
    stop,
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: stop,
  };
}

/** The configuration of Distribution 2.8. */
async function registryConfig(
  settings: RegistrySettings,
  work: string,
  dir: string,
  port: number,
): Promise<Record<string, unknown>> {
  return {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: dir },
      delete: { enabled: settings.delete ?? true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: `127.0.0.1:${port}`, ...(await tlsSection(settings, work)) },
    ...(await authSection(settings, work)),
    ...(settings.notifications ? { notifications: { endpoints: endpoints(settings.notifications) } } : {}),
  };
}

function endpoints(notifications: NonNullable<RegistrySettings['notifications']>): unknown[] {
  return notifications.map(({ name, url, headers, ignore }, index) => ({
    name: name ?? `endpoint-${index}`,
    url,
    headers: Object.fromEntries(Object.entries(headers ?? {}).map(([key, value]) => [key, [value]])),
    timeout: '5s',
    threshold: 10,
    backoff: '200ms',
    ...(ignore ? { ignore } : {}),
  }));
}

async function tlsSection({ tls }: RegistrySettings, work: string): Promise<Record<string, unknown>> {
  if (!tls) return {};
  const files = { certificate: join(work, 'tls.crt'), key: join(work, 'tls.key') };
  await writeFile(files.certificate, tls.certificate);
  await writeFile(files.key, tls.key);
  return { tls: files };
}

async function authSection({ htpasswd, token }: RegistrySettings, work: string): Promise<Record<string, unknown>> {
  if (token) {
    const rootcertbundle = join(work, 'token.crt');
    await writeFile(rootcertbundle, token.certificate);
    const { realm, service, issuer } = token;
    return { auth: { token: { realm, service, issuer, rootcertbundle } } };
  }
  if (!htpasswd) return {};
  const path = join(work, 'htpasswd');
  await writeFile(path, `${HTPASSWD_LINE}\n`);
  return { auth: { htpasswd: { realm: 'attestry test', path } } };
}

async function answers(url: URL, child: ChildProcess): Promise<boolean> {
  for (let attempt = 0; attempt < ANSWER_TRIES; attempt++) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return false;
    if (await responds(new URL('/v2/', url))) return true;
    await sleep(25);
  }
  return false;
}

/** Any answer will do, 401 included. The certificate is not judged: only whether somebody listens. */
function responds(url: URL): Promise<boolean> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const request = send(url, { agent: false, rejectUnauthorized: false }, (response) => {
      response.resume().once('close', () => resolve(true));
    });
    request.once('error', () => resolve(false));
    request.end();
  });
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
