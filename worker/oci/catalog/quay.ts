import { type CatalogApi, getExisting, getJson, listedTag, listOf, paged } from '#oci/catalog/api.ts';
import type { OwnLists } from '#oci/catalog/catalog.ts';
import { tokenPages } from '#oci/catalog/token-pages.ts';
import { asObject } from '#oci/json.ts';

/** What Quay lists of a namespace (API v1: listRepos, listRepoTags). */
export function quayLists(api: CatalogApi, owner: string): OwnLists {
  return {
    async *repositories(signal) {
      const pages = tokenPages(api.name, async (token) => {
        const next = token === undefined ? '' : `&next_page=${encodeURIComponent(token)}`;
        const path = `repository?namespace=${encodeURIComponent(owner)}${next}`;
        const answer = asObject(await getExisting(api, path, signal));
        return { items: listOf(api, answer?.repositories), next: answer?.next_page };
      });
      for await (const { namespace, name } of pages) {
        if (typeof name === 'string') yield `${namespace ?? owner}/${name}`;
      }
    },
    async *tags(repository, signal) {
      const page = async (number: number) => {
        const path = `repository/${repository}/tag/?onlyActiveTags=true&limit=100&page=${number}`;
        const answer = asObject(await getJson(api, path, signal));
        return { items: listOf(api, answer?.tags), more: answer?.has_additional === true };
      };
      for await (const { name, manifest_digest: digest } of paged(page)) {
        const listed = listedTag(name, digest);
        if (listed) yield listed;
      }
    },
  };
}
