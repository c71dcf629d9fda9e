import { type CatalogApi, getExisting, getJson, listedTag, listOf, paged } from '#oci/catalog/api.ts';
import type { OwnLists } from '#oci/catalog/catalog.ts';
import { asObject } from '#oci/json.ts';

const SIZE = 100;

/** Container packages of an organization at GitHub (REST API: packages). */
export function githubLists(api: CatalogApi, owner: string): OwnLists {
  const packages = `orgs/${encodeURIComponent(owner)}/packages`;
  async function page(get: typeof getJson, path: string, number: number, signal?: AbortSignal) {
    const items = listOf(api, await get(api, `${path}per_page=${SIZE}&page=${number}`, signal));
    return { items, more: items.length >= SIZE };
  }
  return {
    async *repositories(signal) {
      for await (const { name } of paged((number) =>
        page(getExisting, `${packages}?package_type=container&`, number, signal),
      )) {
        if (typeof name === 'string') yield `${owner}/${name}`.toLowerCase();
      }
    },
    async *tags(repository, signal) {
      const name = encodeURIComponent(repository.split('/').slice(1).join('/'));
      const path = `${packages}/container/${name}/versions?`;
      for await (const { name: digest, metadata } of paged((number) => page(getJson, path, number, signal))) {
        for (const tag of listOf(api, asObject(asObject(metadata)?.container)?.tags)) {
          const listed = listedTag(tag, digest);
          if (listed) yield listed;
        }
      }
    },
  };
}
