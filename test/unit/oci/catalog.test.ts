import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHttpClient } from '#http/undici-client.ts';
import { sha256 } from '#model/digest.ts';
import { ANONYMOUS } from '#oci/credentials.ts';
import { createRegistryTarget } from '#oci/registry-target.ts';
import { type ServedAnswer, type ServedRequest, serveHttp } from '../../support/http-server.ts';

async function open(handle: (request: ServedRequest) => ServedAnswer) {
  const server = await serveHttp(handle);
  const client = createHttpClient({ allowedHosts: [server.host], userAgent: 'test' });
  const { catalog } = createRegistryTarget({
    name: 'registry.test',
    baseUrl: new URL(server.url),
    client,
    credentials: ANONYMOUS,
    now: () => new Date('2026-03-01T00:00:00Z'),
  });
  const close = async () => {
    await client.close();
    await server[Symbol.asyncDispose]();
  };
  return { server, catalog, [Symbol.asyncDispose]: close };
}

async function read(names: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const name of names) all.push(name);
  return all;
}

const page = (repositories: unknown, link?: string): ServedAnswer => ({
  status: 200,
  headers: link === undefined ? {} : { link: `<${link}>; rel="next"` },
  body: JSON.stringify({ repositories }),
});

test('the catalogue is read page by page; names that break the grammar are left out', async () => {
  await using ground = await open(({ path }) =>
    path.includes('last=b') ? page(['c/d']) : page(['a', 'B AD', 7, 'b'], '/v2/_catalog?n=1000&last=b'),
  );
  assert.deepEqual(await read(ground.catalog.repositories()), ['a', 'b', 'c/d']);
});

test('a next page elsewhere, one without end and one that is no list are refused', async () => {
  for (const answer of [
    page(['a'], 'http://elsewhere.test/v2/_catalog'),
    page(['a'], '/v2/other'),
    page(['a'], '/v2/_catalog?n=1000'),
    page('a'),
  ]) {
    await using ground = await open(() => answer);
    await assert.rejects(read(ground.catalog.repositories()), { code: 'registry-protocol' });
  }
});

test('a tag that still names what is known is told without its digest; one that is gone is told as gone', async () => {
  const [known, other] = [sha256('known'), sha256('other')];
  await using ground = await open(({ path, headers }) => {
    if (path.endsWith('gone')) return { status: 404 };
    if (headers['if-none-match'] === `"${known}"`) return { status: 304 };
    return { status: 200, headers: { 'docker-content-digest': known } };
  });
  const { catalog, server } = ground;
  assert.equal(await catalog.digestOf('a', '1.0', known), known);
  assert.equal(await catalog.digestOf('a', '1.0', other), known);
  assert.equal(await catalog.digestOf('a', '1.0'), known);
  assert.equal(await catalog.digestOf('a', 'gone', known), undefined);
  assert.ok(server.requests.every(({ method }) => method === 'HEAD'));
});
