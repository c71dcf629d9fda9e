import { type Digest, isDigest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { isRepository } from '#model/image-ref.ts';
import { IMAGE_INDEXES, IMAGE_MANIFESTS } from '#model/media-types.ts';
import type { Catalog } from '#oci/catalog/catalog.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';
import type { Manifests } from '#oci/manifests.ts';
import { endlessPages, nextPage } from '#oci/next-page.ts';
import { type RegistryConnection, repositoryUrl } from '#oci/registry-connection.ts';
import { discard } from '#oci/registry-errors.ts';
import type { TagLister } from '#oci/target.ts';

const PAGE_SIZE = 1000;
const ACCEPT = [...IMAGE_MANIFESTS, ...IMAGE_INDEXES].join(', ');
const NOT_MODIFIED = 304;

/** What the registry's own API lists: `_catalog` (Docker registry API version 2) and the tags of OCI's. */
export function createDistributionCatalog(
  connection: RegistryConnection,
  { tags }: TagLister,
  manifests: Pick<Manifests, 'resolve'>,
): Catalog {
  const { name, baseUrl, limits } = connection;

  async function* repositories(signal?: AbortSignal): AsyncGenerator<string> {
    const what = 'listing the repositories';
    const seen = new Set<string>();
    let url: URL | undefined = new URL(`v2/_catalog?n=${PAGE_SIZE}`, baseUrl);
    while (url !== undefined) {
      if (seen.size === limits.tagPages || seen.has(url.href)) throw endlessPages(name, what);
      seen.add(url.href);
      const call = { method: 'GET', url, access: { repository: '', actions: 'catalog' }, what, signal } as const;
      const response = await connection.expect(call, 200);
      const list = asObject(parseBoundedJson(await response.bytes(limits.tagPageBytes)))?.repositories;
      if (list !== null && !Array.isArray(list)) {
        throw new AppError('registry-protocol', `${name}: ${what}: repositories is not a list`);
      }
      // Names that break the grammar are left out: no reference can name them.
      yield* (list ?? []).filter((one): one is string => typeof one === 'string' && isRepository(one));
      // Unlike of tags, a page may be empty and not be the last: of what is left out for want of rights.
      url = nextPage(connection, response.headers.link, url, what);
    }
  }

  async function digestOf(
    repository: string,
    tag: string,
    known?: Digest,
    signal?: AbortSignal,
  ): Promise<Digest | undefined> {
    const what = `looking at ${tag} of ${repository}`;
    // Its entity tag is the digest where the registry has one; where it has another, nothing is lost.
    const condition = known === undefined ? {} : { 'if-none-match': `"${known}"` };
    const url = repositoryUrl(connection, repository, `manifests/${tag}`);
    const access = { repository, actions: 'pull' } as const;
    const call = { method: 'HEAD', url, headers: { accept: ACCEPT, ...condition }, access, what, signal } as const;
    const response = await connection.send(call);
    if (response.status === NOT_MODIFIED || response.status === 404) {
      await discard(response, 0);
      return response.status === 404 ? undefined : known;
    }
    const told = response.headers['docker-content-digest'];
    if (response.status !== 200) throw await connection.failure(call, response);
    await discard(response, 0);
    return isDigest(told) ? told : (await manifests.resolve(repository, tag, signal)).digest;
  }

  return {
    repositories,
    async *tags(repository, signal) {
      for await (const tag of tags(repository, signal)) yield { tag };
    },
    digestOf,
  };
}
