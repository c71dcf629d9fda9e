import type { HttpResponse } from '#http/client.ts';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { OCI_INDEX } from '#model/media-types.ts';
import { endlessPages, nextPage } from '#oci/next-page.ts';
import { MAX_REFERRERS, parseReferrersIndex, referrersOf, tooManyReferrers } from '#oci/referrers-index.ts';
import { type RegistryCall, type RegistryConnection, repositoryUrl } from '#oci/registry-connection.ts';
import { discard } from '#oci/registry-errors.ts';

/** The referrers API of a registry (OCI distribution-spec, listing referrers). */
export interface ReferrersList {
  /** All referrers of a digest, or those of the first page; undefined where the registry does not know the API. */
  list(
    repository: string,
    digest: Digest,
    signal?: AbortSignal,
    pages?: 'first',
  ): Promise<readonly Descriptor[] | undefined>;
}

/**
 * What registries answer that do not know the API, as go-containerregistry takes it too. Neither 403 nor 5xx: whoever
 * may cause those could hide all evidence (interop K.7).
 */
const API_UNKNOWN: readonly number[] = [400, 404, 406];

export function createReferrersList(connection: RegistryConnection): ReferrersList {
  const { name, limits, memo } = connection;

  async function list(
    repository: string,
    digest: Digest,
    signal?: AbortSignal,
    pages?: 'first',
  ): Promise<readonly Descriptor[] | undefined> {
    const what = `listing the referrers of ${digest} in ${repository}`;
    const seen = new Set<string>();
    const found: Descriptor[] = [];
    let url: URL | undefined = repositoryUrl(connection, repository, `referrers/${digest}`);
    while (url !== undefined) {
      if (seen.size === limits.referrerPages || seen.has(url.href)) throw endlessPages(name, what);
      const response = await page(url, repository, what, signal);
      // Only the first answer tells whether the API is there; a later page that fails is a failure.
      if (response === undefined && seen.size === 0) {
        memo.learn(name, repository, 'referrers-api', false);
        return undefined;
      }
      seen.add(url.href);
      if (response === undefined) throw endlessPages(name, what);
      const bytes = await response.bytes(limits.manifestBytes);
      found.push(...referrersOf(parseReferrersIndex(bytes, `${name}: ${what}: the answer`)));
      if (found.length > MAX_REFERRERS) throw tooManyReferrers(`${name}: ${what}: the answer`);
      url = pages === 'first' ? undefined : nextPage(connection, response.headers.link, url, what);
    }
    memo.learn(name, repository, 'referrers-api', true);
    return found;
  }

  async function page(
    url: URL,
    repository: string,
    what: string,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse | undefined> {
    const access = { repository, actions: 'pull' } as const;
    const call: RegistryCall = { method: 'GET', url, headers: { accept: OCI_INDEX }, access, what, signal };
    const response = await connection.send(call);
    if (response.status === 200 && isIndex(response)) return response;
    if (response.status === 200 || API_UNKNOWN.includes(response.status)) {
      await discard(response, limits.errorBytes);
      return undefined;
    }
    throw await connection.failure(call, response);
  }

  return { list };
}

function isIndex(response: HttpResponse): boolean {
  return response.headers['content-type']?.split(';')[0]?.trim().toLowerCase() === OCI_INDEX;
}
