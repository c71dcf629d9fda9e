import { attestationTag, type EvidenceLocation, type RawEvidence, signatureTag } from '#model/evidence.ts';
import type { ReadTarget } from '#oci/target.ts';
import { readCosignTag, type TagContent } from '#storage/cosign-tag-reader.ts';

/** What stands at a location's attestation tag. */
export type AttestationTagContent = TagContent;

/**
 * Reads all attestations of a location from cosign's tag (`sha256-<hex>.att`).
 * @throws AppError as `readCosignTag`.
 */
export async function readAttestationTag(
  source: ReadTarget,
  location: EvidenceLocation,
  signal?: AbortSignal,
  known?: AttestationTagContent,
): Promise<AttestationTagContent> {
  return await readCosignTag(source, location, attestationTag(location), signal, known);
}

/**
 * Reads all signatures of the image itself from cosign's tag (`sha256-<hex>.sig`).
 * @throws AppError as `readCosignTag`.
 */
export async function readSignatureTag(
  source: ReadTarget,
  location: EvidenceLocation,
  signal?: AbortSignal,
): Promise<readonly RawEvidence[]> {
  return (await readSignatures(source, location, signal)).evidence;
}

/** As `readSignatureTag`, with what an edit of the tag needs. */
export async function readSignatures(
  source: ReadTarget,
  location: EvidenceLocation,
  signal?: AbortSignal,
  known?: TagContent,
): Promise<TagContent> {
  const content = await readCosignTag(source, location, signatureTag(location), signal, known);
  const evidence = content.evidence.map((raw): RawEvidence => ({ ...raw, kind: 'image-signature' }));
  return { ...content, evidence };
}
