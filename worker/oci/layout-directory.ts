import { createReadStream } from 'node:fs';
import { link, mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, digestTag, isDigest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { isRepository, isTag } from '#model/image-ref.ts';
import { OCI_INDEX } from '#model/media-types.ts';
import { LOCAL_CAPABILITIES } from '#oci/capabilities.ts';
import {
  layoutEntry,
  readIfThere,
  readLayoutIndex,
  tagOf,
  writeAtomically,
  writeLayoutIndex,
} from '#oci/layout-index.ts';
import { createLayoutTurns } from '#oci/layout-turns.ts';
import { REGISTRY_LIMITS } from '#oci/limits.ts';
import { manifestReferences, missingReference } from '#oci/manifest-references.ts';
import { checkPushedManifest } from '#oci/pushed-manifest.ts';
import { type Referrer, referrerOf } from '#oci/referrer.ts';
import { parseReferrersIndex, referrersOf } from '#oci/referrers-index.ts';
import { checkStoredManifest } from '#oci/stored-manifest.ts';
import type { StoredManifest, Target } from '#oci/target.ts';
import { verifiedStream } from '#oci/verified-stream.ts';

// Fewer, larger reads: layers are read from start to end.
const READ_BYTES = 256 * 1024;
const MAX_REMEMBERED = 100_000;

/** `tree`: each repository is a subfolder. `single`: the folder itself is the layout, whatever the repository. */
export type LayoutForm = 'tree' | 'single';

/**
 * A directory of OCI image layouts, each with its own `index.json` (OCI image-spec, image layout). Referrers are found
 * by their `subject`, as oras finds them. Writers of this program take turns, in one process and in several.
 */
export function createLayoutTarget(dir: string, form: LayoutForm = 'tree'): Target {
  const inTurn = createLayoutTurns();
  const referrersRead = new Map<Digest, { readonly referrer: Referrer | undefined }>();

  function layoutOf(repository: string): string {
    if (!isRepository(repository)) throw new AppError('reference-invalid', `"${repository}" is not a repository name`);
    return form === 'single' ? dir : join(dir, repository);
  }

  function blobPath(repository: string, digest: Digest): string {
    if (!isDigest(digest)) throw new AppError('reference-invalid', `"${digest}" is not a digest`);
    return join(layoutOf(repository), 'blobs', digest.replace(':', '/'));
  }

  async function manifest(repository: string, reference: string): Promise<StoredManifest> {
    const { entries } = await readLayoutIndex(layoutOf(repository));
    const entry = entries.find(({ descriptor }) =>
      isDigest(reference) ? descriptor.digest === reference : tagOf(descriptor) === reference,
    )?.descriptor;
    // The children of an index are not listed themselves by every tool.
    const digest = entry?.digest ?? (isDigest(reference) ? reference : undefined);
    const path = digest === undefined ? undefined : blobPath(repository, digest);
    const size = path === undefined ? undefined : await sizeOf(path);
    if (path === undefined || digest === undefined || size === undefined) {
      throw new AppError('not-found', `manifest ${reference} of ${repository} is not in ${dir}`);
    }
    if (size > REGISTRY_LIMITS.manifestBytes) {
      throw new AppError('too-large', `manifest ${digest} is larger than ${REGISTRY_LIMITS.manifestBytes} bytes`);
    }
    const bytes = (await readIfThere(path)) ?? new Uint8Array();
    return checkStoredManifest(bytes, { reference: digest, mediaType: entry?.mediaType });
  }

  async function blob(repository: string, descriptor: Pick<Descriptor, 'digest' | 'size'>): Promise<Readable> {
    const path = blobPath(repository, descriptor.digest);
    if ((await sizeOf(path)) === undefined) {
      throw new AppError('not-found', `blob ${descriptor.digest} of ${repository} is not in ${dir}`);
    }
    return verifiedStream(createReadStream(path, { highWaterMark: READ_BYTES }), descriptor);
  }

  async function pushBlob(repository: string, bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
    const digest = sha256(bytes);
    const path = blobPath(repository, digest);
    if ((await sizeOf(path)) !== bytes.byteLength) await writeAtomically(path, bytes);
    return { mediaType, digest, size: bytes.byteLength };
  }

  async function takeBlob(
    repository: string,
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    open: () => Promise<Readable>,
  ): Promise<void> {
    await writeAtomically(blobPath(repository, descriptor.digest), verifiedStream(await open(), descriptor));
  }

  /** One file under two names; a file system without links is written to as if nothing were there. */
  async function mountBlob(repository: string, digest: Digest, from: string): Promise<boolean> {
    const path = blobPath(repository, digest);
    await mkdir(dirname(path), { recursive: true });
    const failure = await link(blobPath(from, digest), path).catch((error: NodeJS.ErrnoException) => error);
    return failure === undefined || failure.code === 'EEXIST';
  }

  async function pushManifest(
    repository: string,
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
  ): Promise<Descriptor> {
    const descriptor = checkPushedManifest(reference, bytes, mediaType, REGISTRY_LIMITS.manifestBytes);
    const { blobs, manifests } = manifestReferences(
      checkStoredManifest(bytes, { reference: descriptor.digest, mediaType }),
    );
    for (const digest of blobs) if (!(await hasBlob(repository, digest))) throw missingReference(digest, 'blob');
    for (const digest of manifests)
      if (!(await hasBlob(repository, digest))) throw missingReference(digest, 'manifest');
    const layout = layoutOf(repository);
    await inTurn(layout, async () => {
      await writeAtomically(blobPath(repository, descriptor.digest), bytes);
      const tag = isDigest(reference) ? undefined : reference;
      const { entries, cut } = await readLayoutIndex(layout);
      const kept = entries.filter(({ descriptor: other }) => {
        const replaced = tag !== undefined && tagOf(other) === tag;
        return !replaced && !(other.digest === descriptor.digest && tagOf(other) === undefined);
      });
      const listed = tag === undefined && kept.some(({ descriptor: other }) => other.digest === descriptor.digest);
      const own = layoutEntry(referrerOf(descriptor, bytes)?.entry ?? descriptor, tag);
      await writeLayoutIndex(layout, { entries: listed ? kept : [...kept, own], cut });
    });
    return descriptor;
  }

  async function deleteManifest(repository: string, digest: Digest): Promise<void> {
    await manifest(repository, digest);
    const layout = layoutOf(repository);
    await inTurn(layout, async () => {
      const { entries, cut } = await readLayoutIndex(layout);
      const kept = entries.filter(({ descriptor }) => descriptor.digest !== digest);
      // The list first: what it names is always there.
      await writeLayoutIndex(layout, { entries: kept, cut });
      await rm(blobPath(repository, digest), { force: true });
    });
  }

  async function hasBlob(repository: string, digest: Digest): Promise<boolean> {
    return (await sizeOf(blobPath(repository, digest))) !== undefined;
  }

  async function* referrers(repository: string, digest: Digest): AsyncGenerator<Descriptor> {
    const { entries } = await readLayoutIndex(layoutOf(repository));
    const listed = await fallbackEntries(repository, digest);
    const seen = new Set<Digest>();
    for (const { descriptor } of [...entries, ...listed]) {
      if (seen.has(descriptor.digest)) continue;
      seen.add(descriptor.digest);
      const referrer = await referrerAt(repository, descriptor);
      if (referrer?.subject === digest) yield referrer.entry;
    }
  }

  /** A copy of a registry without the referrers API brings its list along at the fallback tag. */
  async function fallbackEntries(repository: string, digest: Digest): Promise<readonly { descriptor: Descriptor }[]> {
    const tag = digestTag(digest);
    const { entries } = await readLayoutIndex(layoutOf(repository));
    if (!entries.some(({ descriptor }) => tagOf(descriptor) === tag)) return [];
    const stored = await manifest(repository, tag);
    if (stored.descriptor.mediaType !== OCI_INDEX) return [];
    const index = parseReferrersIndex(stored.bytes, `${repository}:${tag}`);
    return referrersOf(index).map((descriptor) => ({ descriptor }));
  }

  /** What a listed manifest refers to. Content never changes under its digest, so that each is read once. */
  async function referrerAt(repository: string, { digest, size }: Descriptor): Promise<Referrer | undefined> {
    const known = referrersRead.get(digest);
    if (known) return known.referrer;
    if (size > REGISTRY_LIMITS.manifestBytes || !(await hasBlob(repository, digest))) return undefined;
    const { descriptor, bytes } = await manifest(repository, digest);
    const referrer = readReferrer(descriptor, bytes);
    if (referrersRead.size < MAX_REMEMBERED) referrersRead.set(digest, { referrer });
    return referrer;
  }

  async function* tags(repository: string): AsyncGenerator<string> {
    for (const { descriptor } of (await readLayoutIndex(layoutOf(repository))).entries) {
      const tag = tagOf(descriptor);
      if (tag !== undefined && isTag(tag)) yield tag;
    }
  }

  const capabilities = async () => LOCAL_CAPABILITIES;
  const resolve = async (repository: string, reference: string) => (await manifest(repository, reference)).descriptor;
  return {
    resolve,
    manifest,
    blob,
    hasBlob,
    pushBlob,
    takeBlob,
    mountBlob,
    pushManifest,
    listReferrers: async () => {},
    deleteManifest,
    referrers,
    tags,
    capabilities,
  };
}

/** A manifest whose subject cannot be read refers to nothing; it must not hide the others. */
function readReferrer(descriptor: Descriptor, bytes: Uint8Array): Referrer | undefined {
  try {
    return referrerOf(descriptor, bytes);
  } catch (error) {
    if (error instanceof AppError && error.code === 'manifest-malformed') return undefined;
    throw error;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}
