import { isRepository } from '#model/image-ref.ts';
import { listedTag } from '#oci/catalog/api.ts';
import type { OwnLists } from '#oci/catalog/catalog.ts';
import { linkedPages } from '#oci/catalog/linked-pages.ts';
import { asObject } from '#oci/json.ts';
import type { RegistryConnection } from '#oci/registry-connection.ts';

/** The most that it gives at once. */
const PAGE_SIZE = 1000;

/**
 * What Azure Container Registry lists of itself (data plane API 2021-07-01: List Repositories, List Tags): tags with
 * their digests. It is asked with the credentials of the registry, whose token server gives a token for each of the
 * two scopes (Azure/acr, docs/AAD-OAuth.md).
 */
export function acrLists(connection: RegistryConnection): OwnLists {
  return {
    async *repositories(signal) {
      const list = {
        path: `acr/v1/_catalog?n=${PAGE_SIZE}`,
        access: { repository: '', actions: 'catalog' },
        what: 'listing the repositories',
        member: 'repositories',
        mayBeMissing: false,
      } as const;
      for await (const repository of linkedPages(connection, list, signal)) {
        if (typeof repository === 'string' && isRepository(repository)) yield repository;
      }
    },
    async *tags(repository, signal) {
      const list = {
        path: `acr/v1/${repository}/_tags?n=${PAGE_SIZE}`,
        access: { repository, actions: 'metadata_read' },
        what: `listing the tags of ${repository}`,
        member: 'tags',
        mayBeMissing: true,
      } as const;
      for await (const item of linkedPages(connection, list, signal)) {
        const listed = listedTag(asObject(item)?.name, asObject(item)?.digest);
        if (listed) yield listed;
      }
    },
  };
}
