import { once } from 'node:events';
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

/** A change of a manifest that the registry accepted. */
export interface ManifestChange {
  readonly method: 'PUT' | 'DELETE';
  readonly repository: string;
  /** Tag or digest. */
  readonly reference: string;
  readonly userAgent: string;
  /** Empty for a deletion. */
  readonly body: Buffer;
}

/** A step before a registry that keeps every change of a manifest, in the order in which the registry made them. */
export interface RecordingProxy extends AsyncDisposable {
  /** `localhost:PORT`. */
  readonly host: string;
  readonly changes: readonly ManifestChange[];
  /** Requests that passed. */
  readonly count: number;
}

const MANIFEST = /^\/v2\/(.+)\/manifests\/([^/?]+)$/;

export async function startRecordingProxy(port: number): Promise<RecordingProxy> {
  const changes: ManifestChange[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const last = new Map<string, Promise<void>>();
  let count = 0;

  /** Changes of one reference one after another: only then is their order the one in which the registry makes them. */
  async function inTurn(path: string, work: () => Promise<void>): Promise<void> {
    const before = last.get(path);
    const turn = (async () => {
      await before;
      await work();
    })();
    const ended = turn.catch(() => undefined);
    last.set(path, ended);
    try {
      await turn;
    } finally {
      if (last.get(path) === ended) last.delete(path);
    }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    count += 1;
    const { method = '', url = '' } = request;
    const [, repository, reference] = MANIFEST.exec(url) ?? [];
    if (repository === undefined || reference === undefined || (method !== 'PUT' && method !== 'DELETE')) {
      await pass(request, response);
      return;
    }
    const body = await buffer(request);
    await inTurn(url, async () => {
      const status = await change(request, response, body);
      const userAgent = request.headers['user-agent'] ?? '';
      if (status < 300) changes.push({ method, repository, reference, userAgent, body });
    });
  }

  /** Passes a change on, and its answer back; it goes on to its end even when the caller is gone. */
  async function change(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<number> {
    const onward = httpRequest({ ...whereTo(request), agent });
    onward.end(body);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    const said = await buffer(answer);
    const status = answer.statusCode ?? 502;
    response.writeHead(status, answer.headers);
    response.end(said);
    return status;
  }

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const onward = httpRequest({ ...whereTo(request), agent });
    response.once('close', () => response.writableFinished || onward.destroy());
    request.pipe(onward);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    await pipeline(answer, response);
  }

  function whereTo({ method, url: path, headers }: IncomingMessage) {
    return { host: '127.0.0.1', port, method, path, headers };
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    changes,
    get count() {
      return count;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
}
