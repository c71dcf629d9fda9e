import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** An HTTP proxy in this process: CONNECT for https, absolute URLs for http. */
export interface ForwardProxy {
  readonly url: URL;
  /** `CONNECT host:port` or `GET http://…` of each request. */
  readonly requests: readonly string[];
  /** The `Proxy-Authorization` header of each request. */
  readonly authorizations: readonly (string | undefined)[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** @param hosts where a `host:port` really is; the others are dialled as they are. */
export async function startForwardProxy(hosts: Readonly<Record<string, string>> = {}): Promise<ForwardProxy> {
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const sockets = new Set<Socket>();

  function record(request: IncomingMessage): void {
    requests.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers['proxy-authorization']);
  }

  function forward(request: IncomingMessage, response: ServerResponse): void {
    record(request);
    const headers = { ...request.headers };
    delete headers['proxy-authorization'];
    const url = new URL(request.url ?? '');
    const real = hosts[`${url.hostname}:${url.port || 80}`];
    const onward = httpRequest(
      real === undefined ? url : new URL(`${url.pathname}${url.search}`, `http://${real}`),
      { method: request.method, headers, agent: false },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.once('error', () => response.destroy());
    request.pipe(onward);
  }

  const server = createServer(forward);
  server.on('connect', (request, client: Socket) => {
    record(request);
    const wanted = request.url ?? '';
    const [host = '', port = ''] = (hosts[wanted] ?? wanted).split(':');
    const onward = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.pipe(client).pipe(onward);
    });
    for (const socket of [client, onward]) {
      sockets.add(socket);
      socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://localhost:${(server.address() as AddressInfo).port}/`),
    requests,
    authorizations,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
