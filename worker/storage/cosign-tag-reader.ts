import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import { parseManifest } from '#oci/manifest.ts';
import type { ReadTarget, StoredManifest } from '#oci/target.ts';
import { inParallel } from '#storage/in-parallel.ts';
import { blobIfThere, MAX_PIECE_BYTES, MAX_TOTAL_BYTES } from '#storage/read-blob.ts';

const PARALLEL_FETCHES = 4;

/** What stands at one of a location's tags. Without a manifest there is no evidence. */
export interface TagContent {
  readonly manifestDigest?: Digest;
  readonly layers: readonly Descriptor[];
  readonly evidence: readonly RawEvidence[];
  /** The tag holds an index, and these are the layers of its linux/amd64 child. */
  readonly insideIndex?: true;
}

/**
 * Reads all layers at one of cosign's tags. A blob that the manifest lists and the registry does not hold is listed
 * without bytes, as the verifiers skip it.
 * @param known what was read there a moment ago: its blobs are not fetched again.
 * @throws AppError the registry errors, `manifest-malformed`, `too-large`.
 */
export async function readCosignTag(
  source: ReadTarget,
  location: EvidenceLocation,
  tag: string,
  signal?: AbortSignal,
  known?: TagContent,
): Promise<TagContent> {
  const manifest = await manifestAtTag(source, location, tag, signal);
  if (!manifest) return { layers: [], evidence: [] };
  const { layers, ...inside } = await imageLayers(source, location, tag, manifest, signal);
  const total = layers.reduce((sum, layer) => sum + layer.size, 0);
  if (total > MAX_TOTAL_BYTES) {
    throw new AppError('too-large', `${tag} lists ${total} bytes, the limit is ${MAX_TOTAL_BYTES}`);
  }
  const manifestDigest = manifest.descriptor.digest;
  const held = new Map(known?.evidence.map(({ descriptor: { digest, size }, bytes }) => [`${digest} ${size}`, bytes]));
  const evidence = await inParallel(layers, PARALLEL_FETCHES, async (descriptor): Promise<RawEvidence> => {
    const bytes =
      held.get(`${descriptor.digest} ${descriptor.size}`) ??
      (await blobIfThere(source, location.repository, descriptor, MAX_PIECE_BYTES, signal));
    return { location, layout: 'cosign-tag', manifestDigest, descriptor, ...(bytes ? { bytes } : {}) };
  });
  return { manifestDigest, layers, evidence, ...inside };
}

/** The manifest at a tag of a location; undefined when there is none. */
export async function manifestAtTag(
  source: ReadTarget,
  location: EvidenceLocation,
  tag: string,
  signal?: AbortSignal,
): Promise<StoredManifest | undefined> {
  try {
    return await source.manifest(location.repository, tag, signal);
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** The tag usually holds an image manifest; where it holds an index, the verifiers take its linux/amd64 child. */
async function imageLayers(
  source: ReadTarget,
  location: EvidenceLocation,
  tag: string,
  stored: StoredManifest,
  signal?: AbortSignal,
): Promise<Pick<TagContent, 'layers' | 'insideIndex'>> {
  const manifest = parseManifest(stored);
  if (manifest.kind === 'manifest') return { layers: manifest.layers };
  const child = manifest.manifests.find(
    ({ platform }) => !platform || (platform.os === 'linux' && platform.architecture === 'amd64'),
  );
  if (!child) return { layers: [], insideIndex: true };
  const image = parseManifest(await source.manifest(location.repository, child.digest, signal));
  if (image.kind === 'manifest') return { layers: image.layers, insideIndex: true };
  throw new AppError('index-nested', `${tag} holds an index that lists another index`);
}
