import type { BuiltImage } from '#cli/demo/image-writer.ts';
import type { Descriptor } from '#model/descriptor.ts';
import type { Pusher } from '#oci/target.ts';

/** Pushes an image or index as a builder does: blobs, the manifests of the platforms, and last what the tag names. */
export async function pushImage(
  target: Pusher,
  repository: string,
  tag: string,
  { blobs, manifests, root }: BuiltImage,
  signal?: AbortSignal,
): Promise<Descriptor> {
  const distinct = new Map(blobs.map((blob) => [blob.descriptor.digest, blob]));
  for (const { bytes, descriptor } of distinct.values()) {
    await target.pushBlob(repository, bytes, descriptor.mediaType, signal);
  }
  for (const { bytes, descriptor } of manifests) {
    await target.pushManifest(repository, descriptor.digest, bytes, descriptor.mediaType, signal);
  }
  return target.pushManifest(repository, tag, root.bytes, root.descriptor.mediaType, signal);
}
