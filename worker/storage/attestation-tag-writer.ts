import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { attestationTag, type EvidenceLocation } from '#model/evidence.ts';
import type { SignedStatement } from '#model/signed-statement.ts';
import type { Target } from '#oci/target.ts';
import { attestationLayer } from '#storage/attestation-manifest.ts';
import type { AttestationTagContent } from '#storage/attestation-tag-reader.ts';
import {
  type CosignTag,
  missingAtTag,
  type WriteContext,
  type WrittenManifest,
  writeCosignTag,
} from '#storage/cosign-tag-writer.ts';

/** One change of a location's attestation tag; everything that it does not name stays as it is. */
export interface AttestationEdit {
  /** New statements; appended in order. */
  readonly add: readonly SignedStatement[];
  /** Layers of ours to list again, exactly as they were written; their blobs are in the registry. */
  readonly relist: readonly Descriptor[];
  /** Layers of ours to drop. */
  readonly drop: ReadonlySet<Digest>;
}

/**
 * Applies an edit to the attestations that were read, in one manifest PUT.
 * @throws AppError as `writeCosignTag`.
 */
export async function writeAttestationTag(
  context: WriteContext,
  location: EvidenceLocation,
  read: AttestationTagContent,
  edit: AttestationEdit,
): Promise<WrittenManifest> {
  const { add, relist, drop } = edit;
  return await writeCosignTag(context, attestations(location), read, {
    add: add.map((statement) => ({ layer: attestationLayer(statement), bytes: statement.envelope })),
    relist,
    drops: (layer) => drop.has(layer.digest),
  });
}

/** Reads the tag back: answers the layers that were wanted and are not there as they were written. */
export async function missingAfterWrite(
  target: Target,
  location: EvidenceLocation,
  wanted: readonly Descriptor[],
  signal?: AbortSignal,
): Promise<readonly Descriptor[]> {
  return await missingAtTag(target, attestations(location), wanted, signal);
}

/** An envelope holds its signature: the same bytes are the same attestation. */
function attestations(location: EvidenceLocation): CosignTag {
  return { location, tag: attestationTag(location), identity: ({ digest }) => digest };
}
