import type { Edit } from '#engine/edit.ts';
import type { PlaceContent } from '#engine/places.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceLocation } from '#model/evidence.ts';
import { missingAfterWrite, writeAttestationTag } from '#storage/attestation-tag-writer.ts';
import { missingBundles, type PrunedBundles, pruneBundles, writeBundles } from '#storage/bundle-writer.ts';
import type { TagContent } from '#storage/cosign-tag-reader.ts';
import type { WriteContext as StorageContext } from '#storage/cosign-tag-writer.ts';
import { missingSignatures, writeSignatureTag } from '#storage/signature-tag-writer.ts';

export type WriteContext = StorageContext;

const NOTHING: TagContent = { layers: [], evidence: [] };

/**
 * Writes an edit: all layers of a tag in one PUT, cosign's tags before bundles. The blobs of all places go first, so that
 * a run that dies between two places leaves what the next one needs to finish without signing again.
 * @throws AppError as the writers of the places.
 */
export async function writePlaces(
  context: WriteContext,
  location: EvidenceLocation,
  content: PlaceContent,
  edit: Edit,
): Promise<void> {
  const { target, lease } = context;
  const { attestations, signatures, bundles } = edit;
  await refuseImmutable(context, location, edit);
  if (edit.blobs.length > 1) {
    for (const { bytes, mediaType } of edit.blobs) {
      await target.pushBlob(location.repository, bytes, mediaType, lease.signal);
    }
  }
  if (attestations.add.length + attestations.relist.length > 0) {
    await writeAttestationTag(context, location, content.attestations ?? NOTHING, attestations);
  }
  if (signatures.add.length + signatures.relist.length > 0) {
    await writeSignatureTag(context, location, content.signatures ?? NOTHING, signatures);
  }
  await writeBundles(context, location, bundles);
}

/**
 * A list of referrers at a tag that cannot be written again would take one bundle and no second: the first one would
 * hide what stands at cosign's tags, and nothing could mend that.
 */
async function refuseImmutable({ target, lease }: WriteContext, location: EvidenceLocation, edit: Edit): Promise<void> {
  const { registry, repository } = location;
  if (edit.bundles.add.length + edit.bundles.relist.length === 0) return;
  const { immutableTags, referrers } = await target.capabilities(repository, lease.signal);
  if (!immutableTags || referrers !== 'tag') return;
  const message = `${registry} lists no referrers itself, and its tags cannot be written again: ${repository} has no place for evidence`;
  throw new AppError('tag-immutable', message, {
    mend: 'exempt the tags sha256-* from the rule that makes tags immutable, or name a repository elsewhere',
  });
}

/** Reads back: whether all that was written is there. */
export async function allStands(
  { target, lease }: WriteContext,
  location: EvidenceLocation,
  edit: Edit,
): Promise<boolean> {
  const layersAt = (place: string) => edit.pieces.filter(({ slot }) => slot.place === place).map(({ layer }) => layer);
  const { signal } = lease;
  const attestations = layersAt('attestations');
  if (attestations.length > 0 && (await missingAfterWrite(target, location, attestations, signal)).length > 0) {
    return false;
  }
  const signatures = layersAt('signatures');
  if (signatures.length > 0 && (await missingSignatures(target, location, signatures, signal)).length > 0) return false;
  const manifests = edit.pieces.flatMap(({ manifest }) => (manifest === undefined ? [] : [manifest]));
  return manifests.length === 0 || (await missingBundles(target, location, manifests, signal)).length === 0;
}

/** Deletes bundles of ours that others replaced. What cannot be deleted now stays in the record, and is tried again. */
export async function prune(
  context: WriteContext,
  location: EvidenceLocation,
  manifests: readonly Digest[],
): Promise<PrunedBundles> {
  if (manifests.length === 0) return { pruned: [], kept: [] };
  try {
    return await pruneBundles(context, location, manifests);
  } catch (error) {
    if (error instanceof AppError && error.code === 'write-conflict') return { pruned: [], kept: manifests };
    throw error;
  }
}
