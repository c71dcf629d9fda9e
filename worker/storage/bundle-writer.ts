import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceLocation } from '#model/evidence.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import { OCI_EMPTY } from '#model/media-types.ts';
import type { BeforeIndexWrite, ReferrerLister, StoredManifest } from '#oci/target.ts';
import { type BundleLayer, type BundleManifest, bundleManifest, EMPTY_CONFIG } from '#storage/bundle-manifest.ts';
import type { WriteContext } from '#storage/cosign-tag-writer.ts';

/** What is attached to a location's subject. */
export interface BundleEdit {
  /** The manifest that the bundles refer to; it need not be in the evidence repository. */
  readonly subject: Descriptor;
  /** New bundles. */
  readonly add: readonly BundleLayer[];
  /** Layers of ours to list again, exactly as they were written; their blobs are in the registry. */
  readonly relist: readonly Descriptor[];
}

export interface WrittenBundle {
  readonly manifestDigest: Digest;
  /** The layer as records keep it. */
  readonly layer: Descriptor;
}

/**
 * Attaches bundles to a subject, each a manifest of its own by its digest; where the registry keeps no list of
 * referrers, all are listed at the fallback tag, in one write. The fence is checked before every write of a manifest or of that list,
 * and both are announced as our own. Whoever calls reads back with `missingBundles`.
 * @throws AppError `lock-lost`, `write-conflict`, `tag-immutable` when the fallback tag cannot be written again,
 * `not-found` when a bundle to list again is gone, and the registry errors.
 */
export async function writeBundles(
  context: WriteContext,
  location: EvidenceLocation,
  edit: BundleEdit,
): Promise<readonly WrittenBundle[]> {
  const { target, lease, ownPushes } = context;
  const { repository } = location;
  const { signal } = lease;
  if (edit.add.length + edit.relist.length === 0) return [];
  for (const { bytes, descriptor } of edit.add) await target.pushBlob(repository, bytes, descriptor.mediaType, signal);
  await target.pushBlob(repository, EMPTY_CONFIG, OCI_EMPTY, signal);
  const layers = [...edit.relist, ...edit.add.map(({ descriptor }) => descriptor)];
  const manifests = layers.map((layer) => bundleManifest(layer, edit.subject));
  for (const { bytes, descriptor } of manifests) {
    await ownPushes.announce(formatRepositoryRef(location), descriptor.digest);
    await lease.check();
    await target.pushManifest(repository, descriptor.digest, bytes, descriptor.mediaType, signal, 'later');
  }
  await target.listReferrers(repository, edit.subject.digest, manifests, signal, beforeIndex(context, location));
  return layers.map((layer, at) => ({
    manifestDigest: (manifests[at] as BundleManifest).descriptor.digest,
    layer,
  }));
}

/**
 * Lists referrers again that are in the registry and that nobody lists any more.
 * @throws AppError `lock-lost`, `write-conflict` and the registry errors.
 */
export async function relistReferrers(
  context: WriteContext,
  location: EvidenceLocation,
  manifests: readonly StoredManifest[],
): Promise<void> {
  const { target, lease } = context;
  const { repository, digest } = location;
  await target.listReferrers(repository, digest, manifests, lease.signal, beforeIndex(context, location));
}

/** Reads back: answers the referrers' manifests that are not listed, or not there. */
export async function missingBundles(
  target: ReferrerLister,
  location: EvidenceLocation,
  wanted: readonly Digest[],
  signal?: AbortSignal,
): Promise<readonly Digest[]> {
  const missing = new Set(wanted);
  for await (const { digest } of target.referrers(location.repository, location.digest, signal)) missing.delete(digest);
  return [...missing];
}

/** What a registry answers that does not let us delete: what was to go stays, and no harm is done. */
const KEPT: readonly string[] = ['registry-refused', 'registry-forbidden'];

export interface PrunedBundles {
  /** No longer listed. */
  readonly pruned: readonly Digest[];
  /** Still listed, since the registry does not delete. */
  readonly kept: readonly Digest[];
}

/**
 * Deletes manifests of ours that others have replaced, where the registry deletes. Their blobs are left to its garbage
 * collection.
 * @param superseded digests of the referrers' manifests.
 * @throws AppError `lock-lost`, `write-conflict` and the registry errors.
 */
export async function pruneBundles(
  context: WriteContext,
  location: EvidenceLocation,
  superseded: readonly Digest[],
): Promise<PrunedBundles> {
  const { target, lease } = context;
  const { repository } = location;
  if (superseded.length === 0) return { pruned: [], kept: [] };
  const { deletes, referrers } = await target.capabilities(repository, lease.signal);
  // At the fallback tag they are taken off the list, even where they stay in the store.
  if (deletes === false && referrers === 'api') return { pruned: [], kept: superseded };
  for (const digest of superseded) {
    await lease.check();
    try {
      await target.deleteManifest(repository, digest, lease.signal, beforeIndex(context, location));
    } catch (error) {
      if (!(error instanceof AppError) || ![...KEPT, 'not-found'].includes(error.code)) throw error;
    }
  }
  const pruned = await missingBundles(target, location, superseded, lease.signal);
  return { pruned, kept: superseded.filter((digest) => !pruned.includes(digest)) };
}

function beforeIndex({ lease, ownPushes }: WriteContext, location: EvidenceLocation): BeforeIndexWrite {
  return async (index, over) => {
    // Registries may send the event of a push before they answer it.
    await ownPushes.announce(formatRepositoryRef(location), index, over ?? 'nothing');
    await lease.check();
  };
}
