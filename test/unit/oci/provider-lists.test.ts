import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHttpClient } from '#http/undici-client.ts';
import { sha256 } from '#model/digest.ts';
import { type CatalogApi, paged } from '#oci/catalog/api.ts';
import type { OwnLists } from '#oci/catalog/catalog.ts';
import { dockerHubLists } from '#oci/catalog/dockerhub.ts';
import { githubLists } from '#oci/catalog/github.ts';
import { harborLists } from '#oci/catalog/harbor.ts';
import { quayLists } from '#oci/catalog/quay.ts';
import { tokenPages } from '#oci/catalog/token-pages.ts';
import { type ServedAnswer, serveHttp } from '../../support/http-server.ts';

const NAMES = Array.from({ length: 150 }, (_, at) => `app-${String(at).padStart(3, '0')}`);
const DIGEST = sha256('image');

/** A page of a hundred, as each of these APIs cuts them. */
function pageOf<Item>(items: readonly Item[], query: URLSearchParams): { page: readonly Item[]; more: boolean } {
  const number = Number(query.get('page') ?? 1);
  return { page: items.slice((number - 1) * 100, number * 100), more: items.length > number * 100 };
}

type Serve = (path: string, query: URLSearchParams) => unknown;

const SERVED: Readonly<Record<string, { base: string; serve: Serve; open: (api: CatalogApi) => OwnLists }>> = {
  harbor: {
    base: 'api/v2.0/',
    open: harborLists,
    serve(path, query) {
      if (path === '/api/v2.0/repositories')
        return pageOf(
          NAMES.map((name) => ({ name: `acme/${name}` })),
          query,
        ).page;
      if (path !== '/api/v2.0/projects/acme/repositories/nested%252Fapp/artifacts') return undefined;
      return [
        { digest: DIGEST, tags: [{ name: '1.0' }, { name: 'latest' }] },
        { digest: sha256('untagged'), tags: null },
      ];
    },
  },
  quay: {
    base: 'api/v1/',
    open: (api) => quayLists(api, 'acme'),
    serve(path, query) {
      if (path === '/api/v1/repository') {
        const from = Number(query.get('next_page') ?? 0);
        const repositories = NAMES.slice(from, from + 100).map((name) => ({ namespace: 'acme', name }));
        return { repositories, ...(from === 0 ? { next_page: '100' } : {}) };
      }
      if (path !== '/api/v1/repository/acme/nested/app/tag/') return undefined;
      const tag = query.get('page') === '1' ? '1.0' : 'latest';
      return { tags: [{ name: tag, manifest_digest: DIGEST }], has_additional: tag === '1.0' };
    },
  },
  github: {
    base: '',
    open: (api) => githubLists(api, 'acme'),
    serve(path, query) {
      if (path === '/orgs/acme/packages')
        return pageOf(
          NAMES.map((name) => ({ name })),
          query,
        ).page;
      if (path !== '/orgs/acme/packages/container/nested%2Fapp/versions') return undefined;
      return [{ name: DIGEST, metadata: { container: { tags: ['1.0', 'latest'] } } }];
    },
  },
  dockerhub: {
    base: 'v2/',
    open: (api) => dockerHubLists(api, 'acme'),
    serve(path, query) {
      const hostile = 'https://elsewhere.example/';
      if (path === '/v2/namespaces/acme/repositories') {
        const { page, more } = pageOf(
          NAMES.map((name) => ({ name })),
          query,
        );
        return { results: page, next: more ? hostile : null };
      }
      if (path !== '/v2/namespaces/acme/repositories/nested%2Fapp/tags') return undefined;
      return {
        results: [
          { name: '1.0', digest: DIGEST },
          { name: 'latest', digest: DIGEST },
        ],
        next: null,
      };
    },
  },
};

async function all<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const read: Item[] = [];
  for await (const item of items) read.push(item);
  return read;
}

for (const [provider, { base, serve, open }] of Object.entries(SERVED)) {
  test(`${provider}: all pages of repositories and tags, with credentials; a limit and a refusal are told apart`, async () => {
    await using server = await serveHttp(({ path, headers }): ServedAnswer => {
      if (headers.authorization !== 'Bearer right') return { status: 401 };
      const url = new URL(path, 'http://registry.test');
      const answer = serve(url.pathname, url.searchParams);
      return answer === undefined ? { status: 404 } : { status: 200, body: JSON.stringify(answer) };
    });
    const client = createHttpClient({ allowedHosts: [server.host], userAgent: 'test' });
    let token = 'right';
    const api: CatalogApi = {
      name: 'registry.test',
      url: new URL(`${server.url}/${base}`),
      client,
      authorization: async () => `Bearer ${token}`,
      now: () => new Date('2026-03-01T00:00:00Z'),
    };
    try {
      const lists = open(api);
      assert.deepEqual(
        await all(lists.repositories()),
        NAMES.map((name) => `acme/${name}`),
      );
      const tags = ['1.0', 'latest'].map((tag) => ({ tag, digest: DIGEST }));
      assert.deepEqual(await all(lists.tags('acme/nested/app')), tags);
      assert.deepEqual(await all(lists.tags('acme/gone')), []);
      server.bend(() => ({ status: 429, headers: { 'retry-after': '7' } }));
      await assert.rejects(all(lists.repositories()), { code: 'registry-throttled', retryAfterMs: 7000 });
      server.bend(() => ({ status: 404 }));
      await assert.rejects(
        all(lists.repositories()),
        { code: 'registry-refused' },
        'no such namespace is no empty one',
      );
      server.bend();
      token = 'wrong';
      await assert.rejects(all(lists.repositories()), { code: 'registry-unauthorized' });
    } finally {
      await client.close();
    }
  });
}

test('a token that comes back is an error, an empty page is not the end', async () => {
  const pages = [
    { items: [], next: 'a' },
    { items: [{ name: 'x' }, null], next: 'b' },
    { items: [], next: '' },
  ];
  assert.deepEqual(await all(tokenPages('registry.test', async () => pages.shift())), [{ name: 'x' }]);
  const asked: (string | undefined)[] = [];
  const endless = tokenPages('registry.test', async (token) => {
    asked.push(token);
    return { items: [], next: token === 'a' ? 'b' : 'a' };
  });
  await assert.rejects(all(endless), { code: 'registry-protocol' });
  assert.deepEqual(asked, [undefined, 'a', 'b']);
});

test('pages without an end are an error, and no whole list', async () => {
  await assert.rejects(all(paged(async () => ({ items: [{}], more: true }))), { code: 'registry-protocol' });
});
