import type { Readable } from 'node:stream';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';

/** A manifest as stored: the exact bytes and what they are. The digest was checked against the bytes. */
export interface StoredManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Finds what a tag or digest names, without its content (OCI distribution-spec, HEAD manifest). */
export interface Resolver {
  /** @throws AppError `not-found` and the registry errors. */
  resolve(repository: string, reference: string, signal?: AbortSignal): Promise<Descriptor>;
}

export interface Fetcher {
  /**
   * A manifest by tag or digest, at most 4 MiB.
   * @throws AppError `not-found`, `too-large`, `digest-mismatch` and the registry errors.
   */
  manifest(repository: string, reference: string, signal?: AbortSignal): Promise<StoredManifest>;
  /**
   * A blob as a stream that ends in an error (`digest-mismatch`, `layer-corrupt`, `too-large`) when its bytes are not
   * exactly those of the descriptor.
   */
  blob(repository: string, descriptor: Pick<Descriptor, 'digest' | 'size'>, signal?: AbortSignal): Promise<Readable>;
  hasBlob(repository: string, digest: Digest, signal?: AbortSignal): Promise<boolean>;
}

export interface Pusher {
  /** Uploads a blob unless it is there. */
  pushBlob(repository: string, bytes: Uint8Array, mediaType: string, signal?: AbortSignal): Promise<Descriptor>;
  /** `reference` is a tag or the manifest's own digest. */
  pushManifest(
    repository: string,
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
    signal?: AbortSignal,
  ): Promise<Descriptor>;
}

export interface Deleter {
  /** Deletes a manifest by digest. @throws AppError `not-found`. */
  deleteManifest(repository: string, digest: Digest, signal?: AbortSignal): Promise<void>;
}

export interface TagLister {
  /** Tags in pages; no tags when the repository does not exist. */
  tags(repository: string, signal?: AbortSignal): AsyncIterable<string>;
}

export interface ReadTarget extends Resolver, Fetcher {}

/** One registry, OCI layout directory or memory store; repositories are paths in it. */
export interface Target extends ReadTarget, Pusher, Deleter, TagLister {}

/** The configured registries by name. */
export interface Registries {
  /**
   * The registry's configured name for a host as a reference writes it: the name itself or one of its aliases.
   * @throws AppError `unknown-registry` naming what is configured.
   */
  nameOf(host: string): string;
  /** The target of a registry, by name or alias. @throws AppError `unknown-registry`. */
  target(host: string): Target;
  close(): Promise<void>;
}
