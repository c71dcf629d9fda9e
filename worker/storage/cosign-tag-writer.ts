import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceLocation } from '#model/evidence.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '#model/media-types.ts';
import type { Lease, OwnPushes } from '#model/ports.ts';
import { parseManifest } from '#oci/manifest.ts';
import type { Target } from '#oci/target.ts';
import { isListedAs, tagConfig, tagManifestBytes } from '#storage/attestation-manifest.ts';
import { manifestAtTag, type TagContent } from '#storage/cosign-tag-reader.ts';

/** go-containerregistry based readers refuse more layers. */
const MAX_LAYERS = 1000;

export interface WriteContext {
  readonly target: Target;
  readonly lease: Lease;
  readonly ownPushes: OwnPushes;
}

export interface WrittenManifest {
  readonly manifestDigest: Digest;
  readonly layers: readonly Descriptor[];
}

/** One of cosign's tags of a location, and how its layers are told apart. */
export interface CosignTag {
  readonly location: EvidenceLocation;
  readonly tag: string;
  /** Two layers with the same identity are one. */
  identity(layer: Descriptor): string;
}

/** One change of a tag; everything that it does not name stays as it is. */
export interface TagEdit {
  /** New layers; appended in order. */
  readonly add: readonly NewLayer[];
  /** Layers to list again, exactly as they were written; their blobs are in the registry. */
  readonly relist: readonly Descriptor[];
  drops(layer: Descriptor): boolean;
}

export interface NewLayer {
  readonly layer: Descriptor;
  readonly bytes: Uint8Array;
}

/**
 * Applies an edit to the layers that were read, in one manifest PUT. The fence is checked and the tag compared just
 * before the PUT: a legacy tag has no conditional request, so what another tool writes in that instant is found by
 * reading back.
 * @throws AppError `lock-lost`, `write-conflict` when the tag is no longer what was read, `too-large`,
 * `media-type-unsupported` when somebody keeps an index there, `registry-refused` when blobs that others listed are gone,
 * `tag-immutable` when the registry keeps the tag as it is.
 */
export async function writeCosignTag(
  { target, lease, ownPushes }: WriteContext,
  { location, tag, identity }: CosignTag,
  read: TagContent,
  edit: TagEdit,
): Promise<WrittenManifest> {
  const name = `${formatRepositoryRef(location)}:${tag}`;
  if (read.insideIndex) throw cannotAppend(name);
  const layers = editedLayers(read.layers, edit, identity);
  if (layers.length > MAX_LAYERS) {
    throw new AppError('too-large', `${name} would list ${layers.length} layers`, {
      mend: `readers take at most ${MAX_LAYERS}: remove old evidence from this tag`,
    });
  }
  const { repository } = location;
  const { signal } = lease;
  for (const { layer, bytes } of edit.add) await target.pushBlob(repository, bytes, layer.mediaType, signal);
  const config = tagConfig(layers);
  await target.pushBlob(repository, config, OCI_CONFIG, signal);
  const manifest = tagManifestBytes(layers, config);
  const manifestDigest = sha256(manifest);
  // Registries may send the event of a push before they answer it.
  await ownPushes.announce(formatRepositoryRef(location), manifestDigest, read.manifestDigest ?? 'nothing');
  await refuseChangedTag(target, repository, tag, read.manifestDigest, signal);
  await lease.check();
  try {
    await target.pushManifest(repository, tag, manifest, OCI_MANIFEST, signal);
  } catch (error) {
    throw blobsOfOthersGone(error, name, read, layers);
  }
  return { manifestDigest, layers };
}

/** Reads a tag back: answers the layers that were wanted and are not there as they were written. */
export async function missingAtTag(
  target: Target,
  { location, tag }: Pick<CosignTag, 'location' | 'tag'>,
  wanted: readonly Descriptor[],
  signal?: AbortSignal,
): Promise<readonly Descriptor[]> {
  const stored = await manifestAtTag(target, location, tag, signal);
  const manifest = stored ? parseManifest(stored) : undefined;
  const present = manifest?.kind === 'manifest' ? manifest.layers : [];
  return wanted.filter((layer) => !present.some((found) => isListedAs(found, layer)));
}

function editedLayers(
  layers: readonly Descriptor[],
  edit: TagEdit,
  identity: CosignTag['identity'],
): readonly Descriptor[] {
  const kept = layers.filter((layer) => !edit.drops(layer));
  const present = new Set(kept.map(identity));
  const appended = [...edit.relist, ...edit.add.map(({ layer }) => layer)].filter((layer) => {
    if (present.has(identity(layer))) return false;
    present.add(identity(layer));
    return true;
  });
  return [...kept, ...appended];
}

/** Registries take no list of blobs that they do not hold, and what others listed is not ours to take off. */
function blobsOfOthersGone(error: unknown, name: string, read: TagContent, layers: readonly Descriptor[]): unknown {
  const dead = read.evidence.filter(({ bytes }) => bytes === undefined).map(({ descriptor }) => descriptor.digest);
  const listed = dead.filter((digest) => layers.some((layer) => layer.digest === digest));
  if (!(error instanceof AppError) || error.code !== 'not-found' || listed.length === 0) return error;
  const message = `${name} lists ${listed.join(', ')}, which the registry does not hold; it takes no list with them`;
  return new AppError('registry-refused', message, {
    cause: error,
    mend: 'this evidence is not ours: upload the blobs again, or take them off that tag',
  });
}

/** A manifest in its place would take away what the other children of the index list. */
function cannotAppend(name: string): AppError {
  return new AppError('media-type-unsupported', `${name} holds an index, not evidence`, {
    mend: 'move the index to another tag; evidence is appended to an image manifest',
  });
}

async function refuseChangedTag(
  target: Target,
  repository: string,
  tag: string,
  expected: Digest | undefined,
  signal: AbortSignal,
): Promise<void> {
  const found = await tagDigest(target, repository, tag, signal);
  if (found === expected) return;
  throw new AppError('write-conflict', `${tag} changed while its evidence was being written`);
}

async function tagDigest(
  target: Target,
  repository: string,
  tag: string,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  try {
    return (await target.resolve(repository, tag, signal)).digest;
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return undefined;
    throw error;
  }
}
