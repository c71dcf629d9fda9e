import { Readable } from 'node:stream';
import { readBounded } from '#http/body-stream.ts';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, isDigest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { LOCAL_CAPABILITIES } from '#oci/capabilities.ts';
import { REGISTRY_LIMITS } from '#oci/limits.ts';
import { manifestReferences, missingReference } from '#oci/manifest-references.ts';
import { checkPushedManifest } from '#oci/pushed-manifest.ts';
import { referrerOf } from '#oci/referrer.ts';
import { checkStoredManifest } from '#oci/stored-manifest.ts';
import type { StoredManifest, Target } from '#oci/target.ts';
import { verifiedStream } from '#oci/verified-stream.ts';

interface Repository {
  readonly blobs: Map<Digest, Uint8Array>;
  readonly manifests: Map<Digest, StoredManifest>;
  readonly tags: Map<string, Digest>;
}

/** A store in memory, as strict as a registry: for tests and for what is only passed on. */
export function createMemoryTarget(): Target {
  const repositories = new Map<string, Repository>();

  function find(repository: string, reference: string): StoredManifest {
    const held = repositories.get(repository);
    const digest = isDigest(reference) ? reference : held?.tags.get(reference);
    const stored = digest === undefined ? undefined : held?.manifests.get(digest);
    if (!stored) throw new AppError('not-found', `manifest ${reference} of ${repository} is not there`);
    return stored;
  }

  function open(repository: string): Repository {
    const held = repositories.get(repository) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    repositories.set(repository, held);
    return held;
  }

  async function blob(repository: string, descriptor: Pick<Descriptor, 'digest' | 'size'>): Promise<Readable> {
    const bytes = repositories.get(repository)?.blobs.get(descriptor.digest);
    if (!bytes) throw new AppError('not-found', `blob ${descriptor.digest} of ${repository} is not there`);
    return verifiedStream(Readable.from([bytes], { objectMode: false }), descriptor);
  }

  async function pushBlob(repository: string, bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
    const digest = sha256(bytes);
    open(repository).blobs.set(digest, Uint8Array.from(bytes));
    return { mediaType, digest, size: bytes.byteLength };
  }

  async function takeBlob(
    repository: string,
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    bytes: () => Promise<Readable>,
  ): Promise<void> {
    const content = await readBounded(
      verifiedStream(await bytes(), descriptor),
      descriptor.size,
      `blob ${descriptor.digest}`,
    );
    open(repository).blobs.set(descriptor.digest, content);
  }

  async function mountBlob(repository: string, digest: Digest, from: string): Promise<boolean> {
    const bytes = repositories.get(from)?.blobs.get(digest);
    if (bytes) open(repository).blobs.set(digest, bytes);
    return bytes !== undefined;
  }

  async function pushManifest(
    repository: string,
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
  ): Promise<Descriptor> {
    const descriptor = checkPushedManifest(reference, bytes, mediaType, REGISTRY_LIMITS.manifestBytes);
    const stored = checkStoredManifest(Uint8Array.from(bytes), { reference: descriptor.digest, mediaType });
    const held = open(repository);
    const needs = manifestReferences(stored);
    for (const digest of needs.blobs) if (!held.blobs.has(digest)) throw missingReference(digest, 'blob');
    for (const digest of needs.manifests) if (!held.manifests.has(digest)) throw missingReference(digest, 'manifest');
    held.manifests.set(descriptor.digest, stored);
    if (!isDigest(reference)) held.tags.set(reference, descriptor.digest);
    return descriptor;
  }

  async function deleteManifest(repository: string, digest: Digest): Promise<void> {
    find(repository, digest);
    const held = open(repository);
    held.manifests.delete(digest);
    for (const [tag, named] of held.tags) if (named === digest) held.tags.delete(tag);
  }

  async function* referrers(repository: string, digest: Digest): AsyncGenerator<Descriptor> {
    for (const { descriptor, bytes } of [...(repositories.get(repository)?.manifests.values() ?? [])]) {
      const referrer = referrerOf(descriptor, bytes);
      if (referrer?.subject === digest) yield referrer.entry;
    }
  }

  async function* tags(repository: string): AsyncGenerator<string> {
    yield* [...(repositories.get(repository)?.tags.keys() ?? [])];
  }

  return {
    resolve: async (repository, reference) => find(repository, reference).descriptor,
    manifest: async (repository, reference) => find(repository, reference),
    blob,
    hasBlob: async (repository, digest) => repositories.get(repository)?.blobs.has(digest) ?? false,
    pushBlob,
    takeBlob,
    mountBlob,
    pushManifest,
    listReferrers: async () => {},
    deleteManifest,
    referrers,
    tags,
    capabilities: async () => LOCAL_CAPABILITIES,
  };
}
