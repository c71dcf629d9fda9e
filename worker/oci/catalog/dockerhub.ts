import { type CatalogApi, getExisting, getJson, listedTag, listOf, paged } from '#oci/catalog/api.ts';
import type { OwnLists } from '#oci/catalog/catalog.ts';
import { asObject } from '#oci/json.ts';

/** What Docker Hub lists of a namespace (Hub API v2). */
export function dockerHubLists(api: CatalogApi, owner: string): OwnLists {
  async function page(get: typeof getJson, path: string, number: number, signal?: AbortSignal) {
    const answer = asObject(await get(api, `${path}?page_size=100&page=${number}`, signal));
    // Only whether there is a further page is taken from it, not where.
    return { items: listOf(api, answer?.results), more: typeof answer?.next === 'string' };
  }
  const repositories = `namespaces/${encodeURIComponent(owner)}/repositories`;
  return {
    async *repositories(signal) {
      for await (const { name } of paged((number) => page(getExisting, repositories, number, signal))) {
        if (typeof name === 'string') yield `${owner}/${name}`;
      }
    },
    async *tags(repository, signal) {
      const name = encodeURIComponent(repository.split('/').slice(1).join('/'));
      for await (const { name: tag, digest } of paged((number) =>
        page(getJson, `${repositories}/${name}/tags`, number, signal),
      )) {
        const listed = listedTag(tag, digest);
        if (listed) yield listed;
      }
    },
  };
}
