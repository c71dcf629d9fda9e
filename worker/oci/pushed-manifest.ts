import type { Descriptor } from '#model/descriptor.ts';
import { isDigest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { isTag } from '#model/image-ref.ts';
import { digestLike } from '#oci/verified-stream.ts';

/**
 * The descriptor of a manifest that is about to be written.
 * @throws AppError `too-large`, `reference-invalid`, and `digest-mismatch` when the reference is the digest of others.
 */
export function checkPushedManifest(
  reference: string,
  bytes: Uint8Array,
  mediaType: string,
  maxBytes: number,
): Descriptor {
  if (bytes.byteLength > maxBytes) {
    throw new AppError('too-large', `a manifest of ${bytes.byteLength} bytes is not written, the limit is ${maxBytes}`);
  }
  if (!isDigest(reference)) {
    if (!isTag(reference)) throw new AppError('reference-invalid', `"${reference.slice(0, 140)}" is not a tag`);
    return { mediaType, digest: sha256(bytes), size: bytes.byteLength };
  }
  if (digestLike(reference, bytes) !== reference) {
    throw new AppError('digest-mismatch', `a manifest is not written as ${reference}, which is not its digest`);
  }
  return { mediaType, digest: reference, size: bytes.byteLength };
}
