/**
 * What can be done with a layer of this media type: `tar` is walked; `foreign` is not distributed by the registry
 * (OCI image-spec, non-distributable layers); `other` is no file system layer at all.
 */
export type LayerKind = 'tar' | 'foreign' | 'other';

const TAR =
  /^application\/vnd\.(?:oci\.image\.layer\.v1\.tar(?:\+gzip|\+zstd)?|docker\.image\.rootfs\.diff\.tar(?:\.gzip|\.zstd)?)$/;
const FOREIGN =
  /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.v1\.tar(?:\+gzip|\+zstd)?|docker\.image\.rootfs\.foreign\.diff\.tar(?:\.gzip)?)$/;

export function layerKind(mediaType: string): LayerKind {
  if (TAR.test(mediaType)) return 'tar';
  return FOREIGN.test(mediaType) ? 'foreign' : 'other';
}
