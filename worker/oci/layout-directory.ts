import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, isDigest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { isRepository, isTag } from '#model/image-ref.ts';
import { readIfThere, readLayoutIndex, tagOf, withTag, writeAtomically, writeLayoutIndex } from '#oci/layout-index.ts';
import { REGISTRY_LIMITS } from '#oci/limits.ts';
import { manifestReferences, missingReference } from '#oci/manifest-references.ts';
import { checkPushedManifest } from '#oci/pushed-manifest.ts';
import { checkStoredManifest } from '#oci/stored-manifest.ts';
import type { StoredManifest, Target } from '#oci/target.ts';
import { verifiedStream } from '#oci/verified-stream.ts';

// Fewer, larger reads: layers are read from start to end.
const READ_BYTES = 256 * 1024;

/**
 * A directory of OCI image layouts: each repository is a subfolder with its own `index.json` (OCI image-spec, image
 * layout). Writers of one process take turns; two processes must not write at once.
 */
export function createLayoutTarget(dir: string): Target {
  const turns = new Map<string, Promise<unknown>>();

  function layoutOf(repository: string): string {
    if (!isRepository(repository)) throw new AppError('reference-invalid', `"${repository}" is not a repository name`);
    return join(dir, repository);
  }

  function blobPath(repository: string, digest: Digest): string {
    if (!isDigest(digest)) throw new AppError('reference-invalid', `"${digest}" is not a digest`);
    return join(layoutOf(repository), 'blobs', digest.replace(':', '/'));
  }

  async function manifest(repository: string, reference: string): Promise<StoredManifest> {
    const entries = await readLayoutIndex(layoutOf(repository));
    const entry = entries.find((candidate) =>
      isDigest(reference) ? candidate.digest === reference : tagOf(candidate) === reference,
    );
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
    await inTurn(repository, async () => {
      await writeAtomically(blobPath(repository, descriptor.digest), bytes);
      const layout = layoutOf(repository);
      const tag = isDigest(reference) ? undefined : reference;
      const others = (await readLayoutIndex(layout)).filter((entry) => {
        const replaced = tag !== undefined && tagOf(entry) === tag;
        return !replaced && !(entry.digest === descriptor.digest && tagOf(entry) === undefined);
      });
      const listed = tag === undefined && others.some((entry) => entry.digest === descriptor.digest);
      await writeLayoutIndex(layout, listed ? others : [...others, withTag(descriptor, tag)]);
    });
    return descriptor;
  }

  async function deleteManifest(repository: string, digest: Digest): Promise<void> {
    await manifest(repository, digest);
    await inTurn(repository, async () => {
      const layout = layoutOf(repository);
      const kept = (await readLayoutIndex(layout)).filter((entry) => entry.digest !== digest);
      // The list first: what it names is always there.
      await writeLayoutIndex(layout, kept);
      await rm(blobPath(repository, digest), { force: true });
    });
  }

  async function hasBlob(repository: string, digest: Digest): Promise<boolean> {
    return (await sizeOf(blobPath(repository, digest))) !== undefined;
  }

  async function* tags(repository: string): AsyncGenerator<string> {
    for (const entry of await readLayoutIndex(layoutOf(repository))) {
      const tag = tagOf(entry);
      if (tag !== undefined && isTag(tag)) yield tag;
    }
  }

  async function inTurn(repository: string, work: () => Promise<void>): Promise<void> {
    const turn = (turns.get(repository) ?? Promise.resolve()).then(work);
    const settled = turn.catch(() => {});
    turns.set(repository, settled);
    await turn;
    if (turns.get(repository) === settled) turns.delete(repository);
  }

  const resolve = async (repository: string, reference: string) => (await manifest(repository, reference)).descriptor;
  return { resolve, manifest, blob, hasBlob, pushBlob, pushManifest, deleteManifest, tags };
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}
