import { sha256Hex } from '#model/digest.ts';
import type { Cataloger } from '#sbom/cataloger.ts';
import type { Fact } from '#sbom/fact.ts';

/** What one file tells. A layer above that holds the same path, or hides it, takes all of it away. */
export interface FileFacts {
  readonly path: string;
  readonly facts: readonly Fact[];
}

/**
 * What one layer tells, by itself: plain JSON, remembered by the digest of its blob. Never a merged result, because the
 * same layer stands in many images.
 */
export interface LayerFacts {
  /** `factsVersion` of the catalogers that made it; any other is read anew. */
  readonly version: string;
  readonly unpackedBytes: number;
  readonly files: readonly FileFacts[];
  /** Paths that the layer removes from those below. */
  readonly whiteouts: readonly string[];
  /** Folders whose content below does not count. */
  readonly opaques: readonly string[];
  /** Hashes of all that is not a folder (`path-hashes.ts`). */
  readonly occupied: string;
  /** What should have been read and was not. */
  readonly gaps: readonly string[];
}

// Raised when this format or the walk changes its meaning.
const FORMAT = 1;

/** Names the form of facts: changes when a cataloger joins, leaves or changes. */
export function factsVersion(catalogers: readonly Cataloger[]): string {
  const parts = catalogers.map(({ id, version }) => `${id}@${version}`).sort();
  return `${FORMAT}-${sha256Hex(parts.join(',')).slice(0, 16)}`;
}
