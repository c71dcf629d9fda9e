import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a hook wants done with the exchange; `drop` breaks the connection. */
export type HookResult = 'drop' | undefined;

/** A step between a worker and its registry, at which a test can stop the world. */
export interface RegistryProxy extends AsyncDisposable {
  /** `localhost:PORT`. */
  readonly host: string;
  /** `METHOD /path` of each request that the registry has answered. */
  readonly answered: readonly string[];
  /** Once, when the next such request has come and before the registry hears of it. */
  before(pattern: RegExp, act: () => Promise<HookResult>): void;
  /** Answers such requests with 404, until it is shown again: content that a replica does not have yet. */
  hide(pattern: RegExp): { show(): void };
  /** Once, when the registry has answered and before the worker hears of it. */
  after(pattern: RegExp, act: () => Promise<HookResult>): void;
}

interface Hook {
  readonly when: 'before' | 'after';
  readonly pattern: RegExp;
  readonly act: () => Promise<HookResult>;
}

export async function startRegistryProxy(port: number): Promise<RegistryProxy> {
  const hooks: Hook[] = [];
  const answered: string[] = [];
  const hidden = new Set<RegExp>();

  async function run(when: Hook['when'], line: string): Promise<HookResult> {
    const at = hooks.findIndex((hook) => hook.when === when && hook.pattern.test(line));
    const [hook] = at < 0 ? [] : hooks.splice(at, 1);
    return hook?.act();
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${request.method} ${request.url}`;
    if ((await run('before', line)) === 'drop') return void request.socket.destroy();
    if ([...hidden].some((pattern) => pattern.test(line))) {
      request.resume();
      answered.push(line);
      return void response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[]}');
    }
    const { method, url: path, headers } = request;
    const onward = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false });
    // A registry that is away breaks the connection, as it would without this step.
    onward.once('error', () => request.socket.destroy());
    onward.once('response', async (answer) => {
      answered.push(line);
      if ((await run('after', line)) === 'drop') return void request.socket.destroy();
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    answered,
    before: (pattern, act) => void hooks.push({ when: 'before', pattern, act }),
    hide(pattern) {
      hidden.add(pattern);
      return { show: () => void hidden.delete(pattern) };
    },
    after: (pattern, act) => void hooks.push({ when: 'after', pattern, act }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
