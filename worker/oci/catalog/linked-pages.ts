import { AppError } from '#model/errors.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';
import { endlessPages, nextPage } from '#oci/next-page.ts';
import type { RegistryConnection } from '#oci/registry-connection.ts';
import { discard } from '#oci/registry-errors.ts';
import type { Access } from '#oci/scope.ts';

/** A list at a registry whose pages follow one another by Link headers. */
export interface LinkedList {
  /** Below the registry's address, with the size of a page. */
  readonly path: string;
  readonly access: Access;
  /** The step in words, for messages. */
  readonly what: string;
  /** The member that holds the items. */
  readonly member: string;
  /** A list that is not there is empty; else it is refused. */
  readonly mayBeMissing: boolean;
}

/**
 * The items of all pages. Unlike of tags, a page may be empty and not be the last: of what is left out for want of rights.
 * @throws AppError `registry-protocol` also for pages without an end; what the registry refuses with.
 */
export async function* linkedPages(
  connection: RegistryConnection,
  { path, access, what, member, mayBeMissing }: LinkedList,
  signal?: AbortSignal,
): AsyncGenerator<unknown> {
  const { name, baseUrl, limits } = connection;
  const seen = new Set<string>();
  let url: URL | undefined = new URL(path, baseUrl);
  while (url !== undefined) {
    if (seen.size === limits.tagPages || seen.has(url.href)) throw endlessPages(name, what);
    seen.add(url.href);
    const call = { method: 'GET', url, access, what, signal } as const;
    const response = await connection.send(call);
    if (mayBeMissing && response.status === 404) return await discard(response, limits.errorBytes);
    if (response.status !== 200) throw await connection.failure(call, response);
    const items = asObject(parseBoundedJson(await response.bytes(limits.tagPageBytes)))?.[member];
    if (items !== null && !Array.isArray(items))
      throw new AppError('registry-protocol', `${name}: ${what}: ${member} is not a list`);
    yield* items ?? [];
    url = nextPage(connection, response.headers.link, url, what);
  }
}
