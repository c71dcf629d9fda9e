import { promisify } from 'node:util';
import { gzip, zstdCompress } from 'node:zlib';
import { type TarItem, writeTar } from '#cli/demo/tar-writer.ts';
import type { Descriptor, Platform } from '#model/descriptor.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import {
  DOCKER_CONFIG,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from '#model/media-types.ts';

/** Content and what it is called: a blob, a manifest or an index. */
export interface BuiltContent {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** An image or index ready to be pushed: blobs first, then `manifests`, then `root`. */
export interface BuiltImage {
  readonly root: BuiltContent;
  /** The children of an index; empty for an image. */
  readonly manifests: readonly BuiltContent[];
  readonly blobs: readonly BuiltContent[];
}

export interface BuiltLayer extends BuiltContent {
  /** Digest of the unpacked archive. */
  readonly diffId: Digest;
}

export type LayerFormat = 'gzip' | 'zstd' | 'tar' | 'docker-gzip';

const LAYER_TYPES: Readonly<Record<LayerFormat, string>> = {
  gzip: OCI_LAYER_GZIP,
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  tar: 'application/vnd.oci.image.layer.v1.tar',
  'docker-gzip': 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};

const gzipped = promisify(gzip);
const zstdCompressed = promisify(zstdCompress);

/** A layer of these items, or of an archive as it is. */
export async function buildLayer(
  content: readonly TarItem[] | Uint8Array,
  format: LayerFormat = 'gzip',
): Promise<BuiltLayer> {
  const tar = content instanceof Uint8Array ? content : writeTar(content);
  return { ...builtContent(await compress(tar, format), LAYER_TYPES[format]), diffId: sha256(tar) };
}

async function compress(tar: Uint8Array, format: LayerFormat): Promise<Uint8Array> {
  switch (format) {
    case 'gzip':
    case 'docker-gzip':
      return gzipped(tar);
    case 'zstd':
      return zstdCompressed(tar);
    case 'tar':
      return tar;
  }
}

export interface ImageContent {
  readonly layers: readonly BuiltLayer[];
  /** Absent: the config names neither system nor architecture, as some builders leave it. */
  readonly platform?: Platform;
  /** RFC 3339. */
  readonly created?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** `docker`: manifest version 2, schema 2. */
  readonly form?: 'oci' | 'docker';
}

/** One platform image (OCI image-spec, image manifest and configuration). */
export function buildImage({ layers, platform, created, labels, annotations, form = 'oci' }: ImageContent): BuiltImage {
  const config = jsonContent(form === 'docker' ? DOCKER_CONFIG : OCI_CONFIG, {
    ...(created === undefined ? {} : { created }),
    ...platform,
    config: { ...(labels ? { Labels: labels } : {}) },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const mediaType = form === 'docker' ? DOCKER_MANIFEST : OCI_MANIFEST;
  const root = jsonContent(mediaType, {
    schemaVersion: 2,
    mediaType,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
    ...(annotations ? { annotations } : {}),
  });
  const described = { ...root.descriptor, ...(platform ? { platform } : {}) };
  return { root: { ...root, descriptor: described }, manifests: [], blobs: [config, ...layers] };
}

/** An index of platform images (OCI image-spec, image index; Docker manifest list). */
export function buildIndex(children: readonly BuiltImage[], form: 'oci' | 'docker' = 'oci'): BuiltImage {
  const mediaType = form === 'docker' ? DOCKER_LIST : OCI_INDEX;
  const root = jsonContent(mediaType, {
    schemaVersion: 2,
    mediaType,
    manifests: children.map(({ root: { descriptor } }) => descriptor),
  });
  return {
    root,
    manifests: children.flatMap((child) => [...child.manifests, child.root]),
    blobs: children.flatMap(({ blobs }) => blobs),
  };
}

export function builtContent(bytes: Uint8Array, mediaType: string): BuiltContent {
  return { descriptor: { mediaType, digest: sha256(bytes), size: bytes.byteLength }, bytes };
}

export function jsonContent(mediaType: string, document: object): BuiltContent {
  return builtContent(new TextEncoder().encode(JSON.stringify(document)), mediaType);
}
