import { createServer, type ServerResponse } from 'node:http';
import { AppError } from '#model/errors.ts';
import type { Metrics } from '#telemetry/metrics.ts';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly metrics: Pick<Metrics, 'render'>;
  /** Why the process should be started anew; undefined when it lives. */
  live(): string | undefined;
  /** Why no work should be given to it now; undefined when it is ready. */
  ready(): Promise<string | undefined>;
  /** What a person should know of a process that is ready all the same, a line each. */
  notes?(): Promise<readonly string[]>;
}

export interface MetricsServer extends AsyncDisposable {
  readonly port: number;
  close(): Promise<void>;
}

/** A scraper that reads slowly or never ends its request must not pile up. */
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * `/metrics`, `/livez` and `/readyz` of a process that has no other listener.
 * @throws AppError `config-invalid` when the address cannot be listened on
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: 8192 }, (request, response) => {
    answer(options, request.method ?? '', request.url ?? '', response).catch(() => {
      if (!response.headersSent) send(response, 500, 'text/plain', 'internal error\n');
    });
  });
  server.maxConnections = 64;
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(options.port, options.host, listening.resolve);
  try {
    await listening.promise;
  } catch (error) {
    throw new AppError('config-invalid', `cannot listen on ${options.host}:${options.port} for metrics`, {
      cause: error,
      field: 'worker.metrics',
      mend: 'choose a free port and an address of this machine',
    });
  }
  const address = server.address();
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function answer(
  options: MetricsServerOptions,
  method: string,
  url: string,
  response: ServerResponse,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'text/plain', 'method not allowed\n');
  switch (url.split('?')[0]) {
    case '/metrics': {
      const { contentType, body } = await options.metrics.render();
      return send(response, 200, contentType, body);
    }
    case '/livez':
      return sendHealth(response, options.live());
    case '/readyz':
      return sendHealth(response, await options.ready(), options.notes);
    default:
      return send(response, 404, 'text/plain', 'not found\n');
  }
}

async function sendHealth(
  response: ServerResponse,
  problem: string | undefined,
  notes?: MetricsServerOptions['notes'],
): Promise<void> {
  const lines = [problem ?? 'ok', ...((await notes?.().catch(() => [])) ?? [])];
  send(response, problem === undefined ? 200 : 503, 'text/plain', `${lines.join('\n')}\n`);
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
