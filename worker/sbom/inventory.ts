import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';

export interface OperatingSystem {
  readonly id: string;
  readonly idLike: readonly string[];
  readonly versionId?: string;
  readonly name?: string;
}

/** One package of an image: once for each package URL, however often its files lie in the image. */
export interface Package {
  readonly purl: string;
  /** The package URL's type: `deb`, `npm`, `pypi`. */
  readonly type: string;
  /** npm's scope with its `@`, or the distribution. */
  readonly namespace?: string;
  readonly name: string;
  readonly version: string;
  readonly licenses: readonly string[];
  /** Where the evidence lies in the image; sorted, no leading slash. */
  readonly paths: readonly string[];
  /** Digest of the layer that brought it. */
  readonly layer: Digest;
}

/** What is installed in one platform image. A function of its layers alone: the same bytes give the same inventory. */
export interface Inventory {
  readonly os?: OperatingSystem;
  /** Sorted by package URL. */
  readonly packages: readonly Package[];
  /** False when something that should have been read was not; `gaps` says what. */
  readonly complete: boolean;
  readonly gaps: readonly string[];
  /** The layers in order, and how many packages each brought. */
  readonly layers: readonly { readonly digest: Digest; readonly packages: number }[];
  /** Evidence left out because an operating system package owns the files. */
  readonly owned: number;
  /** The operating system was recognised and none of its packages could be read, in words. */
  readonly silentZero?: string;
}

/**
 * Refuses an inventory that names an operating system and none of its packages: signed, it would say that there is
 * nothing to worry about.
 * @throws AppError `sbom-empty`
 */
export function refuseSilentZero(inventory: Inventory): void {
  if (inventory.silentZero === undefined) return;
  throw new AppError('sbom-empty', inventory.silentZero, {
    mend: 'check that the image keeps its package database; leave the SBOM out of the rule if it has none on purpose',
  });
}
