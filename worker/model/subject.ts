import type { Descriptor, Platform } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import type { ImageRef } from '#model/image-ref.ts';

/** What an image's config says of itself; every member is a claim of whoever pushed it. */
export interface ImageConfig {
  readonly digest: Digest;
  readonly created?: string;
  readonly platform?: Platform;
  readonly labels: Readonly<Record<string, string>>;
  readonly diffIds: readonly Digest[];
}

/** One platform image: its manifest, its layers in order, its config. */
export interface PlatformImage {
  readonly descriptor: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly config: ImageConfig;
  /** The manifest's annotations: claims of whoever pushed it. */
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The resolved image: always a digest. `image` names it (registry by its configured name). For an index, `platforms`
 * are its children; for a single manifest it holds just that manifest.
 */
export interface Subject {
  readonly image: ImageRef & { readonly digest: Digest };
  readonly descriptor: Descriptor;
  readonly kind: 'image' | 'index';
  readonly platforms: readonly PlatformImage[];
  /** For an index: all that it lists, attestation manifests too. */
  readonly children: readonly Descriptor[];
}
