import type { Pair } from '#copy/place.ts';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import type { StoredManifest } from '#oci/target.ts';

/** A manifest that is carried over by its digest. */
export interface PlannedManifest {
  readonly pair: Pair;
  readonly stored: StoredManifest;
  /** Config and layers. */
  readonly blobs: readonly Descriptor[];
  /** The manifest that it refers to: where it must be listed. */
  readonly subject?: Digest;
}

/** One of cosign's tags: what stands there is joined with what stands at the destination. */
export interface PlannedTag {
  readonly pair: Pair;
  readonly tag: string;
  /** The digest that the evidence is about. */
  readonly about: Digest;
  readonly stored: StoredManifest;
  readonly config?: Descriptor;
  /** Absent when the tag holds an index. */
  readonly layers?: readonly Descriptor[];
}

/** An image with all its evidence, as it stood at the source when it was read. */
export interface CopyPlan {
  readonly root: Descriptor;
  /** In the order in which a registry takes them: children before their index, subjects before what refers to them. */
  readonly manifests: readonly PlannedManifest[];
  readonly tags: readonly PlannedTag[];
  /** What a list at the source names and the source does not hold. */
  readonly dangling: readonly string[];
}

/** What was planned, told apart as reports do. */
export function planCounts({ manifests, tags }: CopyPlan): { manifests: number; referrers: number; tags: number } {
  const referrers = manifests.filter(({ subject }) => subject !== undefined).length;
  return { manifests: manifests.length - referrers, referrers, tags: tags.length };
}
