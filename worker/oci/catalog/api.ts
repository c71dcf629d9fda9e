import type { HttpClient } from '#http/client.ts';
import { parseRetryAfter } from '#http/retry-after.ts';
import { type Digest, isDigest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { isTag } from '#model/image-ref.ts';
import type { ListedTag } from '#oci/catalog/catalog.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';

/** The API of a provider that lists what its registry holds. */
export interface CatalogApi {
  /** The registry's configured name, for messages. */
  readonly name: string;
  /** Of the API, with a slash at its end. */
  readonly url: URL;
  readonly client: HttpClient;
  /** `Authorization` of each call; undefined: without. */
  authorization(signal?: AbortSignal): Promise<string | undefined>;
  now(): Date;
}

const PAGE_BYTES = 8 * 1024 * 1024;
const CALL_MS = 30_000;
/** A million entries at a hundred a page. */
const MOST_PAGES = 10_000;

/**
 * One GET below the API's address; undefined: there is no such thing.
 * @throws AppError `registry-throttled`, `registry-unauthorized`, `registry-unavailable`, `registry-protocol`.
 */
export async function getJson(api: CatalogApi, path: string, signal?: AbortSignal): Promise<unknown> {
  const authorization = await api.authorization(signal);
  const timeout = AbortSignal.timeout(CALL_MS);
  const response = await api.client.request({
    method: 'GET',
    url: new URL(path, api.url),
    headers: { accept: 'application/json', ...(authorization === undefined ? {} : { authorization }) },
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
  const body = await response.bytes(PAGE_BYTES);
  if (response.status === 200) return parseBoundedJson(body);
  if (response.status === 404) return undefined;
  throw failure(api, response.status, response.headers);
}

/**
 * As `getJson`, of what must be there: a namespace that is misspelt, or that these credentials may not see, is answered
 * like one that does not exist, and is not one that was looked through.
 * @throws AppError also `registry-refused`.
 */
export async function getExisting(api: CatalogApi, path: string, signal?: AbortSignal): Promise<unknown> {
  const answer = await getJson(api, path, signal);
  if (answer !== undefined) return answer;
  throw new AppError(
    'registry-refused',
    `${api.name}: its API knows no such list of repositories: ${pathOf(api, path)}`,
    {
      field: 'registries.sweep.api',
      mend: 'check `owner` and `url`, and that the credentials may list its repositories',
    },
  );
}

function pathOf({ url }: CatalogApi, path: string): string {
  return new URL(path, url).pathname;
}

/** The items of all pages, counted by ourselves: no address that an answer names is ever followed. @throws AppError `registry-protocol`. */
export async function* paged(
  page: (number: number) => Promise<{ readonly items: readonly unknown[]; readonly more: boolean }>,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  for (let number = 1; number <= MOST_PAGES; number += 1) {
    const { items, more } = await page(number);
    for (const item of items) {
      const object = asObject(item);
      if (object) yield object;
    }
    if (!more || items.length === 0) return;
  }
  throw new AppError('registry-protocol', `the API's list has more than ${MOST_PAGES} pages`);
}

/** A tag as an API tells it; undefined where no reference could name it. */
export function listedTag(tag: unknown, digest: unknown): ListedTag | undefined {
  if (typeof tag !== 'string' || !isTag(tag)) return undefined;
  return isDigest(digest) ? { tag, digest: digest satisfies Digest } : { tag };
}

/** @throws AppError `registry-protocol` */
export function listOf({ name }: CatalogApi, value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw new AppError('registry-protocol', `${name}: the API answered no list`);
}

function failure({ name, now }: CatalogApi, status: number, headers: Readonly<Record<string, string>>): AppError {
  // GitHub answers 403 and the second at which it takes calls again.
  const reset = headers['x-ratelimit-remaining'] === '0' ? Number(headers['x-ratelimit-reset']) * 1000 : Number.NaN;
  const retryAfterMs = parseRetryAfter(headers['retry-after'], now()) ?? Math.max(reset - now().getTime(), 0);
  const waits = Number.isFinite(retryAfterMs);
  if (status === 429 || (status === 403 && waits)) {
    return new AppError('registry-throttled', `${name}: its API asks to be left alone`, waits ? { retryAfterMs } : {});
  }
  if (status === 401 || status === 403) {
    return new AppError('registry-unauthorized', `${name}: its API answered ${status}`, {
      field: 'registries.sweep.api',
      mend: 'give credentials that may list repositories and tags',
    });
  }
  return new AppError('registry-unavailable', `${name}: its API answered ${status}`);
}
