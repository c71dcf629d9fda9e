import type { Readable } from 'node:stream';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import type { Capabilities } from '#oci/capabilities.ts';

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

/**
 * Called just before an index of referrers is written, with the digest that it will have and that of the one in whose
 * place it comes: to check a lease, and to announce the write. What it throws prevents the write.
 */
export type BeforeIndexWrite = (index: Digest, over: Digest | undefined) => Promise<void>;

export interface Pusher {
  /** Uploads a blob unless it is there. */
  pushBlob(repository: string, bytes: Uint8Array, mediaType: string, signal?: AbortSignal): Promise<Descriptor>;
  /**
   * `reference` is a tag or the manifest's own digest. A manifest with a `subject` is listed among the subject's
   * referrers: by the store itself, or, where a registry does not know of referrers, by the index at the fallback tag.
   * @param listing what comes before that index is written; `later`: `listReferrers` will, for several at once.
   * @throws AppError `tag-immutable`, `registry-quota`, `path-too-deep`; `write-conflict` when other writers keep taking
   * it off that index; and the registry errors.
   */
  pushManifest(
    repository: string,
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
    signal?: AbortSignal,
    listing?: BeforeIndexWrite | 'later',
  ): Promise<Descriptor>;
}

/** Keeps the list of referrers, where a registry does not. */
export interface ReferrerIndexer {
  /**
   * Lists stored manifests among the referrers of the subject that they name, in one write of the fallback tag's index;
   * nothing to do where the store lists by itself.
   * @throws AppError as `pushManifest`.
   */
  listReferrers(
    repository: string,
    subject: Digest,
    manifests: readonly StoredManifest[],
    signal?: AbortSignal,
    beforeIndex?: BeforeIndexWrite,
  ): Promise<void>;
}

/** Takes blobs from elsewhere; layers are larger than memory. */
export interface BlobTaker {
  /**
   * Uploads a blob as a stream. Whether it is there already is the caller's question.
   * @param open gives its bytes from the start; called again when the upload has to begin anew.
   * @throws AppError `digest-mismatch`, `layer-corrupt`, `too-large` of the stream, and the registry errors.
   */
  takeBlob(
    repository: string,
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    open: () => Promise<Readable>,
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * Lists a blob of another repository of the same store here too, without moving its bytes (OCI distribution-spec,
   * mounting a blob); answers false where the store does not do that.
   */
  mountBlob(repository: string, digest: Digest, from: string, signal?: AbortSignal): Promise<boolean>;
}

export interface Deleter {
  /**
   * Deletes a manifest by digest; one with a `subject` is taken off the fallback tag's index first.
   * @throws AppError `not-found`; `registry-refused` where the registry does not delete.
   */
  deleteManifest(
    repository: string,
    digest: Digest,
    signal?: AbortSignal,
    beforeIndex?: BeforeIndexWrite,
  ): Promise<void>;
}

export interface ReferrerLister {
  /**
   * Manifests that name `digest` as their `subject` (OCI distribution-spec, listing referrers), from all pages; none
   * when there are none. A descriptor's artifactType and annotations are hearsay (interop A.3.6): read the manifest.
   * @throws AppError `too-large` beyond a thousand, `registry-protocol`, and the registry errors: an answer of 403 or
   * 5xx is one, since falling back to the tag would hide evidence (interop K.7).
   * @param pages `first`: only what the first page holds, as go-containerregistry reads it (interop K.1, 6).
   */
  referrers(repository: string, digest: Digest, signal?: AbortSignal, pages?: 'first'): AsyncIterable<Descriptor>;
}

export interface CapabilityProber {
  /** What is known of the registry for this repository; asks what can be asked without writing. */
  capabilities(repository: string, signal?: AbortSignal): Promise<Capabilities>;
}

export interface TagLister {
  /** Tags in pages; no tags when the repository does not exist. */
  tags(repository: string, signal?: AbortSignal): AsyncIterable<string>;
}

export interface ReadTarget extends Resolver, Fetcher, ReferrerLister {}

/** One registry, OCI layout directory or memory store; repositories are paths in it. */
export interface Target extends ReadTarget, Pusher, ReferrerIndexer, BlobTaker, Deleter, TagLister, CapabilityProber {}

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
