import { Readable } from 'node:stream';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { type AllowedHosts, checkHost } from '#http/allowed-hosts.ts';
import { bodyStream, readBounded } from '#http/body-stream.ts';
import type { HttpClient, HttpRequest, HttpResponse, Reach } from '#http/client.ts';
import { type EnvironmentProxy, environmentProxyFor } from '#http/environment-proxy.ts';
import { guardedLookup } from '#http/guarded-lookup.ts';
import { isStaleConnection, transportError } from '#http/transport-error.ts';
import { AppError } from '#model/errors.ts';

export interface HttpClientOptions {
  readonly allowedHosts: AllowedHosts;
  readonly userAgent: string;
  /** PEM of further CAs to trust, beside those of the system. */
  readonly ca?: string;
  /** An http or https proxy for everything; its URL may hold credentials. */
  readonly proxy?: { readonly url: URL };
  /** Where `proxy` is absent: the environment's, by the URL of each request. */
  readonly environmentProxy?: EnvironmentProxy;
  /** Milliseconds to establish a connection; 10 s when absent. */
  readonly connectTimeoutMs?: number;
  /** Connections at once to one origin; 32 when absent. */
  readonly connections?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 30_000;
const BODY_TIMEOUT_MS = 60_000;
const CONNECTIONS = 32;
// Enough for the longest challenge and Link headers that registries send; undici refuses more.
const MAX_HEADER_BYTES = 64 * 1024;

/** The HTTP client of one destination: its hosts, its CA, its proxy. Connections are made at the first request. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const dispatchers = new Map<string, Promise<Dispatcher>>();
  const trust = lazyTrust(options.ca);

  function dispatcherFor(url: URL, reach: Reach): Promise<Dispatcher> {
    const proxy = options.proxy?.url ?? environmentProxyFor(url, options.environmentProxy ?? {});
    // A proxy resolves names itself, so that there is one dispatcher for it, whatever the reach.
    const key = proxy === undefined ? reach : `proxy ${proxy.href}`;
    const known = dispatchers.get(key);
    if (known) return known;
    const made = createDispatcher(options, reach, proxy, trust());
    dispatchers.set(key, made);
    return made;
  }

  async function request(wanted: HttpRequest): Promise<HttpResponse> {
    const reach = wanted.reach ?? 'listed';
    checkHost(wanted.url, reach, options.allowedHosts);
    const dispatcher = await dispatcherFor(wanted.url, reach);
    try {
      return await exchange(dispatcher, wanted, options.userAgent);
    } catch (error) {
      // RFC 9112 9.3.1: only what is idempotent, and once. DELETE is left out: its second answer would be a 404.
      const repeatable = ['GET', 'HEAD', 'PUT'].includes(wanted.method) && !(wanted.body instanceof Readable);
      const again = repeatable && isStaleConnection(error);
      if (!again || wanted.signal?.aborted) throw transportError(error, wanted.url, wanted.signal);
    }
    try {
      return await exchange(dispatcher, wanted, options.userAgent);
    } catch (error) {
      throw transportError(error, wanted.url, wanted.signal);
    }
  }

  async function close(): Promise<void> {
    const open = await Promise.all(dispatchers.values());
    dispatchers.clear();
    await Promise.all(open.map((dispatcher) => dispatcher.destroy()));
  }

  return { request, close };
}

async function exchange(dispatcher: Dispatcher, wanted: HttpRequest, userAgent: string): Promise<HttpResponse> {
  const { url, signal } = wanted;
  const answer = await dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: wanted.method,
    headers: { 'user-agent': userAgent, ...wanted.headers },
    body: wanted.body ?? null,
    headersTimeout: wanted.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
    bodyTimeout: wanted.bodyTimeoutMs ?? BODY_TIMEOUT_MS,
    // undici closes the connection after each HEAD unless told not to: a new TLS handshake for each.
    reset: false,
    ...(signal === undefined ? {} : { signal }),
  });
  const headers = joinHeaders(answer.headers);
  const body = bodyStream(answer.body, (error) => transportError(error, url, signal));
  return {
    status: answer.statusCode,
    headers,
    body,
    async bytes(maxBytes) {
      const declared = Number(headers['content-length'] ?? 0);
      if (declared > maxBytes && wanted.method !== 'HEAD') {
        body.destroy();
        throw new AppError('too-large', `the answer of ${url.host} is larger than ${maxBytes} bytes`);
      }
      return await readBounded(body, maxBytes, `the answer of ${url.host}`);
    },
  };
}

async function createDispatcher(
  options: HttpClientOptions,
  reach: Reach,
  proxy: URL | undefined,
  secureContext: SecureContext | undefined,
): Promise<Dispatcher> {
  // Loading the library takes longer than many a command; who sends nothing does not pay for it.
  const { Agent, ProxyAgent } = await import('undici');
  const timeout = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const tls = secureContext === undefined ? {} : { secureContext };
  const pool = {
    connections: options.connections ?? CONNECTIONS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // HTTP/2 puts all requests to a registry on one connection, so that one reset fails them all.
    allowH2: false,
  };
  if (proxy) {
    return new ProxyAgent({
      ...pool,
      uri: proxy.href,
      connectTimeout: timeout,
      requestTls: { ...tls, timeout },
      proxyTls: { ...tls, timeout },
    });
  }
  const lookup = reach === 'listed' ? {} : { lookup: guardedLookup(reach === 'named-local') };
  return new Agent({ ...pool, connect: { ...tls, ...lookup, timeout } });
}

/** Made once: a context holds some hundred and fifty parsed CAs. */
function lazyTrust(ca: string | undefined): () => SecureContext | undefined {
  let context: SecureContext | undefined;
  return () => {
    if (ca === undefined) return undefined;
    context ??= createSecureContext({ ca: [...getCACertificates('default'), ca] });
    return context;
  };
}

function joinHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return joined;
}
