import { type Digest, isDigest } from '#model/digest.ts';
import { isRepository } from '#model/image-ref.ts';
import { IMAGE_INDEXES, IMAGE_MANIFESTS } from '#model/media-types.ts';
import type { Catalog } from '#oci/catalog/catalog.ts';
import { linkedPages } from '#oci/catalog/linked-pages.ts';
import type { Manifests } from '#oci/manifests.ts';
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
  async function* repositories(signal?: AbortSignal): AsyncGenerator<string> {
    const list = {
      path: `v2/_catalog?n=${PAGE_SIZE}`,
      access: { repository: '', actions: 'catalog' },
      what: 'listing the repositories',
      member: 'repositories',
      mayBeMissing: false,
    } as const;
    for await (const repository of linkedPages(connection, list, signal)) {
      // Names that break the grammar are left out: no reference can name them.
      if (typeof repository === 'string' && isRepository(repository)) yield repository;
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
