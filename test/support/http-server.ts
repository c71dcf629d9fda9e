import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface ServedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ServedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** What stands between an honest server and its caller; answers undefined to leave the honest answer. */
export type Bend = (honest: ServedAnswer, request: ServedRequest) => ServedAnswer | Promise<ServedAnswer>;

export interface HttpServer extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly requests: readonly ServedRequest[];
  /** Bends every answer from now on; without an argument the server is honest again. */
  bend(next?: Bend): void;
}

/** A real HTTP server on a free port of loopback; with `tls` on `https://localhost`. */
export async function serveHttp(
  handle: (request: ServedRequest) => ServedAnswer | Promise<ServedAnswer>,
  tls?: { readonly certificate: string; readonly key: string },
): Promise<HttpServer> {
  const requests: ServedRequest[] = [];
  let bend: Bend = (honest) => honest;
  const listener: RequestListener = async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = '', url: path = '', headers } = incoming;
    const request = { method, path, headers, body: Buffer.concat(chunks) };
    requests.push(request);
    const { status, headers: told, body } = await bend(await handle(request), request);
    outgoing.writeHead(status, told).end(body);
  };
  const server = tls ? createTlsServer({ cert: tls.certificate, key: tls.key }, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host = `${tls ? 'localhost' : '127.0.0.1'}:${port}`;
  return {
    url: `${tls ? 'https' : 'http'}://${host}`,
    host,
    requests,
    bend: (next = (honest) => honest) => {
      bend = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): ServedAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

/** The JSON of an answer, edited. */
export function edited(answer: ServedAnswer, edit: (value: never) => unknown): ServedAnswer {
  return { ...answer, body: JSON.stringify(edit(JSON.parse(Buffer.from(answer.body ?? '').toString()) as never)) };
}
