import type { Descriptor } from '#model/descriptor.ts';
import { type EvidenceLocation, signatureTag } from '#model/evidence.ts';
import { COSIGN_SIGNATURE } from '#model/media-types.ts';
import type { SignedImage } from '#model/signed-image.ts';
import type { Target } from '#oci/target.ts';
import type { TagContent } from '#storage/cosign-tag-reader.ts';
import {
  type CosignTag,
  missingAtTag,
  type WriteContext,
  type WrittenManifest,
  writeCosignTag,
} from '#storage/cosign-tag-writer.ts';
import { signatureLayer } from '#storage/signature-layer.ts';

/** One change of a location's `.sig` tag; everything that it does not name stays as it is. */
export interface SignatureEdit {
  /** New signatures; appended in order. */
  readonly add: readonly SignedImage[];
  /** Layers of ours to list again, exactly as they were written; their blobs are in the registry. */
  readonly relist: readonly Descriptor[];
  /** Layers of ours to drop: what they sign and their signature count, since several signers sign the same bytes. */
  readonly drop: readonly Descriptor[];
}

/**
 * Applies an edit to the image signatures that `readSignatures` gave, in one manifest PUT.
 * @throws AppError as `writeCosignTag`.
 */
export async function writeSignatureTag(
  context: WriteContext,
  location: EvidenceLocation,
  read: TagContent,
  edit: SignatureEdit,
): Promise<WrittenManifest> {
  const dropped = new Set(edit.drop.map(signatureIdentity));
  return await writeCosignTag(context, signatures(location), read, {
    add: edit.add.map((signed) => ({ layer: signatureLayer(signed), bytes: signed.payload })),
    relist: edit.relist,
    drops: (layer) => dropped.has(signatureIdentity(layer)),
  });
}

/** Reads the tag back: answers the layers that were wanted and are not there as they were written. */
export async function missingSignatures(
  target: Target,
  location: EvidenceLocation,
  wanted: readonly Descriptor[],
  signal?: AbortSignal,
): Promise<readonly Descriptor[]> {
  return await missingAtTag(target, signatures(location), wanted, signal);
}

/** What tells two signatures apart: the signed bytes, and the signature beside them. */
export function signatureIdentity({ digest, annotations }: Descriptor): string {
  return `${digest} ${annotations?.[COSIGN_SIGNATURE] ?? ''}`;
}

function signatures(location: EvidenceLocation): CosignTag {
  return { location, tag: signatureTag(location), identity: signatureIdentity };
}
