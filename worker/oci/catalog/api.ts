import { type Digest, isDigest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { isTag } from '#model/image-ref.ts';
import { type ApiAnswer, type ApiDoor, askedToWait, callApi } from '#oci/catalog/api-call.ts';
import type { ListedTag } from '#oci/catalog/catalog.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';

/** The API of a provider that lists what its registry holds. */
export interface CatalogApi extends ApiDoor {
  /** `Authorization` of each call; undefined: without. */
  authorization(signal?: AbortSignal): Promise<string | undefined>;
}

/** A million entries at a hundred a page. */
const MOST_PAGES = 10_000;

/**
 * One GET below the API's address; undefined: there is no such thing.
 * @throws AppError `registry-throttled`, `registry-resting`, `registry-unauthorized`, `registry-unavailable`,
 * `registry-protocol`.
 */
export async function getJson(api: CatalogApi, path: string, signal?: AbortSignal): Promise<unknown> {
  const authorization = await api.authorization(signal);
  const headers = { accept: 'application/json', ...(authorization === undefined ? {} : { authorization }) };
  const answer = await callApi(api, { method: 'GET', url: new URL(path, api.url), headers }, signal);
  if (answer.status === 200) return parseBoundedJson(answer.body);
  if (answer.status === 404) return undefined;
  throw failure(api, answer);
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
export function listOf({ name }: Pick<CatalogApi, 'name'>, value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw new AppError('registry-protocol', `${name}: the API answered no list`);
}

function failure({ name, now }: CatalogApi, { status, headers }: ApiAnswer): AppError {
  const retryAfterMs = askedToWait(status, headers, now());
  if (status === 429 || retryAfterMs !== undefined) {
    const waits = retryAfterMs === undefined ? {} : { retryAfterMs };
    return new AppError('registry-throttled', `${name}: its API asks to be left alone`, waits);
  }
  if (status === 401 || status === 403) {
    return new AppError('registry-unauthorized', `${name}: its API answered ${status}`, {
      field: 'registries.sweep.api',
      mend: 'give credentials that may list repositories and tags',
    });
  }
  return new AppError('registry-unavailable', `${name}: its API answered ${status}`);
}
