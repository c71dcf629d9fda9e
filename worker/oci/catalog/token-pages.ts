import { AppError } from '#model/errors.ts';
import { asObject } from '#oci/json.ts';

export interface TokenPage {
  readonly items: readonly unknown[];
  /** What asks for the page after it; anything but a text that is not empty: it is the last one. */
  readonly next: unknown;
}

/** A million entries at a hundred a page. */
const MOST_PAGES = 10_000;
const LONGEST_TOKEN = 16_384;

/**
 * The items of pages, each of which names the next by a token. Pages may be empty and not be the last.
 * @throws AppError `registry-protocol` for pages without an end, and for a token that comes back.
 */
export async function* tokenPages(
  name: string,
  ask: (token: string | undefined) => Promise<TokenPage | undefined>,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const seen = new Set<string>();
  let token: string | undefined;
  do {
    const page: TokenPage | undefined = await ask(token);
    for (const item of page?.items ?? []) {
      const object = asObject(item);
      if (object) yield object;
    }
    token = typeof page?.next === 'string' && page.next !== '' ? page.next : undefined;
    if (token === undefined) return;
    if (seen.has(token) || seen.size === MOST_PAGES || token.length > LONGEST_TOKEN) {
      throw new AppError('registry-protocol', `${name}: the pages of its API's list do not end`);
    }
    seen.add(token);
  } while (token !== undefined);
}
