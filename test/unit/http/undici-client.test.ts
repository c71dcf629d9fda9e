import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { createHttpClient, type HttpClientOptions } from '#http/undici-client.ts';

describe('http client', () => {
  it('sends what it is given, once, and gives back status, headers and body', async () => {
    await using server = await serve((request, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.writeHead(201, { 'x-agent': request.headers['user-agent'] ?? '' });
      request.pipe(response);
    });
    await using client = open(server.url);
    const answer = await client.request({ method: 'POST', url: server.url, body: 'hello' });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers['x-agent'], 'attestry-test');
    assert.equal(answer.headers['set-cookie'], 'a=1, b=2');
    assert.equal(Buffer.from(await answer.bytes(5)).toString(), 'hello');
  });

  it('follows no redirect', async () => {
    await using server = await serve((_, response) => response.writeHead(302, { location: '/elsewhere' }).end());
    await using client = open(server.url);
    const answer = await client.request({ method: 'GET', url: server.url });
    assert.equal(answer.status, 302);
    await answer.bytes(0);
    assert.equal(server.count(), 1);
  });

  it('keeps the connection over a HEAD', async () => {
    const ports = new Set<number | undefined>();
    await using server = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end();
    });
    await using client = open(server.url);
    for (let at = 0; at < 8; at++) {
      await (await client.request({ method: 'HEAD', url: server.url })).bytes(0);
    }
    // The pool may open a second connection before it has noticed that the first is free again.
    assert.ok(ports.size <= 2, `${ports.size} connections`);
  });

  it('stops reading at the limit, told or not', async () => {
    await using server = await serve((request, response) => {
      if (request.url === '/told') response.setHeader('content-length', 100_000);
      response.write(Buffer.alloc(50_000));
      response.end(Buffer.alloc(50_000));
    });
    await using client = open(server.url);
    for (const path of ['/told', '/untold']) {
      const answer = await client.request({ method: 'GET', url: new URL(path, server.url) });
      await assert.rejects(answer.bytes(99_999), { code: 'too-large' });
    }
  });

  it('sends an idempotent request again when a kept connection was closed, and no other', async () => {
    let drop = false;
    await using server = await serve((request, response) => {
      if (drop) {
        drop = false;
        request.socket.destroy();
      } else response.end('ok');
    });
    await using client = open(server.url);
    drop = true;
    const answer = await client.request({ method: 'PUT', url: server.url, body: 'x' });
    assert.equal(Buffer.from(await answer.bytes(10)).toString(), 'ok');
    drop = true;
    await assert.rejects(client.request({ method: 'POST', url: server.url, body: 'x' }), { code: 'network' });
    assert.equal(server.count(), 3);
  });

  it('tells a timeout, a canceled request, a refused connection and a broken body apart', async () => {
    await using server = await serve((request, response) => {
      if (request.url === '/broken') {
        response.writeHead(200, { 'content-length': 10 });
        response.write('half');
        setImmediate(() => response.destroy());
      } else if (request.url === '/drip') response.write('first');
    });
    await using client = open(server.url);
    const silent = { method: 'GET', url: server.url } as const;
    await assert.rejects(client.request({ ...silent, headersTimeoutMs: 50 }), { code: 'timeout' });
    await assert.rejects(client.request({ ...silent, signal: AbortSignal.timeout(20) }), { code: 'timeout' });
    await assert.rejects(client.request({ ...silent, signal: AbortSignal.abort() }), { code: 'canceled' });
    const broken = await client.request({ method: 'GET', url: new URL('/broken', server.url) });
    await assert.rejects(broken.bytes(100), { code: 'network' });
    const drip = await client.request({ method: 'GET', url: new URL('/drip', server.url), bodyTimeoutMs: 50 });
    await assert.rejects(drip.bytes(100), { code: 'timeout' });
    const gone = await serve(() => {});
    await gone[Symbol.asyncDispose]();
    await using lonely = open(gone.url);
    await assert.rejects(lonely.request({ method: 'GET', url: gone.url }), { code: 'network' });
  });

  it('reaches listed hosts only', async () => {
    await using server = await serve((_, response) => response.end());
    const { host, hostname } = server.url;
    const cases: [readonly string[] | 'any', boolean][] = [
      [[host], true],
      [[hostname], true],
      ['any', true],
      [[`${hostname}:1`], false],
      [['example.com'], false],
      [[], false],
    ];
    for (const [allowedHosts, reached] of cases) {
      await using client = open(server.url, { allowedHosts });
      const request = client.request({ method: 'GET', url: server.url });
      if (reached) await (await request).bytes(0);
      else await assert.rejects(request, { code: 'host-not-allowed' });
    }
  });

  it('refuses other schemes and user information', async () => {
    await using client = open(new URL('http://localhost/'), { allowedHosts: 'any' });
    for (const url of ['file:///etc/passwd', 'http://user:hunter2@localhost/']) {
      await assert.rejects(client.request({ method: 'GET', url: new URL(url) }), (error: Error) => {
        assert.doesNotMatch(inspect(error), /hunter2/);
        return 'code' in error && error.code === 'host-not-allowed';
      });
    }
  });

  it('reaches a host that another server named only outside of loopback and metadata', async () => {
    await using server = await serve((_, response) => response.end());
    await using client = open(server.url, { allowedHosts: [] });
    const { port } = server.url;
    // The second is a name: it is refused by the address that it resolves to.
    for (const url of [`http://127.0.0.1:${port}`, `http://localhost.:${port}`, 'http://169.254.169.254/latest']) {
      await assert.rejects(client.request({ method: 'GET', url: new URL(url), reach: 'named' }), {
        code: 'host-not-allowed',
      });
    }
    assert.equal(server.count(), 0);
    await (await client.request({ method: 'GET', url: server.url, reach: 'named-local' })).bytes(0);
    assert.equal(server.count(), 1);
  });

  it('never shows path or query of a URL in an error', async () => {
    await using client = open(new URL('http://localhost/'), { allowedHosts: 'any' });
    const url = new URL('http://localhost:1/hooks/T0PS3CRET?sig=T0PS3CRET');
    await assert.rejects(client.request({ method: 'GET', url }), (error: unknown) => {
      assert.doesNotMatch(inspect(error, { depth: 10 }), /T0PS3CRET/);
      return true;
    });
  });
});

function open(url: URL, options: Partial<HttpClientOptions> = {}) {
  const client = createHttpClient({ allowedHosts: [url.host], userAgent: 'attestry-test', ...options });
  return { ...client, [Symbol.asyncDispose]: () => client.close() };
}

async function serve(listener: RequestListener) {
  let count = 0;
  const server = createServer((request, response) => {
    count++;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://localhost:${(server.address() as AddressInfo).port}/`),
    count: () => count,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
