import type { Digest } from '#model/digest.ts';

/** A tag, with what it names where the list tells that. */
export interface ListedTag {
  readonly tag: string;
  readonly digest?: Digest;
}

/** What a registry holds, as far as it lets itself be listed. Bounded: a list that does not end is an error. */
export interface Catalog {
  /** @throws AppError `registry-refused` and its like where the registry keeps its list closed. */
  repositories(signal?: AbortSignal): AsyncIterable<string>;
  /** None when the repository does not exist. */
  tags(repository: string, signal?: AbortSignal): AsyncIterable<ListedTag>;
  /**
   * What a tag names now; undefined when it is gone.
   * @param known what it named: a registry that knows entity tags answers in one line when that still holds.
   */
  digestOf(repository: string, tag: string, known?: Digest, signal?: AbortSignal): Promise<Digest | undefined>;
}

/** Lists of their own take the place of what the distribution API lists. */
export type OwnLists = Pick<Catalog, 'repositories' | 'tags'>;
