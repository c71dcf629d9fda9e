import { AppError } from '#model/errors.ts';
import { isTag } from '#model/image-ref.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';
import { endlessPages, nextPage } from '#oci/next-page.ts';
import { type RegistryConnection, repositoryUrl } from '#oci/registry-connection.ts';
import { discard } from '#oci/registry-errors.ts';
import type { TagLister } from '#oci/target.ts';

const PAGE_SIZE = 1000;

/** Lists the tags of a repository (OCI distribution-spec, listing tags). */
export function createTagLister(connection: RegistryConnection): TagLister {
  const { name, limits } = connection;

  async function* tags(repository: string, signal?: AbortSignal): AsyncGenerator<string> {
    const what = `listing the tags of ${repository}`;
    const access = { repository, actions: 'pull' } as const;
    const seen = new Set<string>();
    let url: URL | undefined = repositoryUrl(connection, repository, `tags/list?n=${PAGE_SIZE}`);
    while (url !== undefined) {
      if (seen.size === limits.tagPages || seen.has(url.href)) throw endlessPages(name, what);
      seen.add(url.href);
      const call = { method: 'GET', url, access, what, signal } as const;
      const response = await connection.send(call);
      if (response.status === 404) return await discard(response, limits.errorBytes);
      if (response.status !== 200) throw await connection.failure(call, response);
      const page = readPage(await response.bytes(limits.tagPageBytes), what);
      yield* page;
      // An empty page ends the list, whatever its Link says.
      url = page.length === 0 ? undefined : nextPage(connection, response.headers.link, url, what);
    }
  }

  /** Names that break the grammar are left out: no reference can name them. */
  function readPage(bytes: Uint8Array, what: string): readonly string[] {
    const list = asObject(parseBoundedJson(bytes))?.tags;
    if (list === null || list === undefined) return [];
    if (!Array.isArray(list)) throw new AppError('registry-protocol', `${name}: ${what}: tags is not a list`);
    return list.filter((tag): tag is string => typeof tag === 'string' && isTag(tag));
  }

  return { tags };
}
