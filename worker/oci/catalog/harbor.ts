import { type CatalogApi, getExisting, getJson, listedTag, listOf, paged } from '#oci/catalog/api.ts';
import type { OwnLists } from '#oci/catalog/catalog.ts';

const SIZE = 100;

/** What a robot or user may see of Harbor (API v2.0: listAllRepositories, listArtifacts). */
export function harborLists(api: CatalogApi): OwnLists {
  async function page(get: typeof getJson, path: string, number: number, signal?: AbortSignal) {
    const items = listOf(api, await get(api, `${path}page=${number}&page_size=${SIZE}`, signal));
    return { items, more: items.length >= SIZE };
  }
  return {
    async *repositories(signal) {
      for await (const { name } of paged((number) => page(getExisting, 'repositories?', number, signal))) {
        if (typeof name === 'string') yield name;
      }
    },
    async *tags(repository, signal) {
      const [project = '', ...rest] = repository.split('/');
      // Harbor decodes the name twice.
      const name = encodeURIComponent(encodeURIComponent(rest.join('/')));
      const path = `projects/${encodeURIComponent(project)}/repositories/${name}/artifacts?with_tag=true&`;
      for await (const { digest, tags } of paged((number) => page(getJson, path, number, signal))) {
        for (const tag of listOf(api, tags)) {
          const listed = listedTag((tag as { name?: unknown } | null)?.name, digest);
          if (listed) yield listed;
        }
      }
    },
  };
}
