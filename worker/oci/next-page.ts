import { AppError } from '#model/errors.ts';
import type { RegistryConnection } from '#oci/registry-connection.ts';

/**
 * The next page of a list by its Link header (RFC 8288): on this registry and of this list alone, since it gets our
 * credentials.
 * @throws AppError `registry-protocol`.
 */
export function nextPage(
  { name, baseUrl }: Pick<RegistryConnection, 'name' | 'baseUrl'>,
  link: string | undefined,
  from: URL,
  what: string,
): URL | undefined {
  const target = /<([^<>]{1,4096})>\s*;[^,<]*\brel\s*=\s*"?next\b/i.exec(link ?? '')?.[1];
  if (target === undefined) return undefined;
  const url = URL.parse(target, from.href);
  if (url === null || url.host !== baseUrl.host || url.pathname !== from.pathname) {
    throw new AppError('registry-protocol', `${name}: ${what}: the next page is not on this list`);
  }
  return new URL(`${url.pathname}${url.search}`, baseUrl);
}

/** Pages that come back to one that was seen, or are too many, would never end. */
export function endlessPages(registry: string, what: string): AppError {
  return new AppError('registry-protocol', `${registry}: ${what}: the pages do not end`);
}
