/**
 * What one file of a layer tells, before layers are merged: plain JSON, so that a layer is read once and remembered by
 * its digest. Texts are claims of whoever made the image, cleaned and bounded (`plainText`).
 */
export type Fact = PackageFact | SystemFact | OwnershipFact | UnreadFact | GapFact;

export interface PackageFact {
  readonly kind: 'package';
  /** The package URL type: `deb`, `npm`, `pypi`. */
  readonly type: string;
  readonly namespace?: string;
  readonly name: string;
  readonly version: string;
  readonly qualifiers?: Readonly<Record<string, string>>;
  /** Belongs to the operating system: its namespace and `distro` qualifier come from os-release, and nobody owns it. */
  readonly distribution?: true;
  /** As declared: SPDX expressions, ids or names. */
  readonly licenses?: readonly string[];
}

/** The content of an os-release file (os-release(5)). */
export interface SystemFact {
  readonly kind: 'system';
  readonly id: string;
  readonly idLike: readonly string[];
  readonly versionId?: string;
  readonly name?: string;
}

/** Files that the operating system's package manager put there. */
export interface OwnershipFact {
  readonly kind: 'owns';
  readonly paths: readonly string[];
}

/** Evidence of packages that no cataloger of this version reads. */
export interface UnreadFact {
  readonly kind: 'unread';
  /** What it is, in the plural: `Java archives`. */
  readonly what: string;
}

/** Something that should have been read and could not be. */
export interface GapFact {
  readonly kind: 'gap';
  readonly message: string;
}
