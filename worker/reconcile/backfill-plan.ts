import type { BackfillChunk } from '#model/backfill.ts';
import { AppError } from '#model/errors.ts';
import { type ImageRef, isRepository } from '#model/image-ref.ts';
import { matchesAny } from '#model/rule.ts';
import type { Catalog } from '#oci/catalog/catalog.ts';

export interface PlannedRegistry {
  /** The registry's configured name. */
  readonly registry: string;
  readonly catalog: Pick<Catalog, 'repositories' | 'tags'>;
  /** The repositories by name, where the registry does not list them. */
  readonly list?: readonly string[];
}

export interface PlanParts {
  readonly registries: readonly PlannedRegistry[];
  /** Patterns of repositories; absent: all. */
  readonly repositories?: readonly string[];
  /** Whether a rule names the image: of others nothing is wanted. */
  isWanted(image: ImageRef): boolean;
  isEvidenceTag(tag: string): boolean;
  /** Repositories that hold evidence and no images, with their registry. */
  readonly evidenceRepositories: ReadonlySet<string>;
  progress?(found: { readonly registry: string; readonly repositories: number; readonly images: number }): void;
  readonly signal: AbortSignal;
}

/** Tags in one chunk: what is read from the store at once, and what is kept for another worker in one answer. */
export const CHUNK_TAGS = 500;
const MAX_IMAGES = 2_000_000;

/** Lists the images that a backfill would attest, in the order in which it will. @throws AppError of the registries. */
export async function* planBackfill(parts: PlanParts): AsyncGenerator<BackfillChunk> {
  let images = 0;
  for (const { registry, catalog, list } of parts.registries) {
    let repositories = 0;
    for await (const repository of list ?? catalog.repositories(parts.signal)) {
      if (!isRepository(repository) || parts.evidenceRepositories.has(`${registry}/${repository}`)) continue;
      if (parts.repositories && !matchesAny(parts.repositories, repository)) continue;
      let tags: BackfillChunk['tags'] = [];
      for await (const { tag, digest } of catalog.tags(repository, parts.signal)) {
        if (parts.isEvidenceTag(tag) || !parts.isWanted({ registry, repository, tag })) continue;
        tags.push(digest === undefined ? [tag] : [tag, digest as `sha256:${string}`]);
        images += 1;
        if (images > MAX_IMAGES) throw tooMany();
        if (tags.length === CHUNK_TAGS) {
          yield { registry, repository, tags };
          tags = [];
        }
      }
      if (tags.length > 0) yield { registry, repository, tags };
      repositories += 1;
      parts.progress?.({ registry, repositories, images });
    }
  }
}

function tooMany(): AppError {
  return new AppError('too-large', `more than ${MAX_IMAGES} images`, {
    mend: 'plan a part of them at a time: --registry, --repositories',
  });
}
