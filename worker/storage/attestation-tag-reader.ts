import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { attestationTag, type EvidenceLocation, type RawEvidence, signatureTag } from '#model/evidence.ts';
import { parseManifest } from '#oci/manifest.ts';
import type { ReadTarget, StoredManifest } from '#oci/target.ts';
import { readBlob } from '#storage/read-blob.ts';

/** cosign's default for `COSIGN_MAX_ATTACHMENT_SIZE`, bytes of one layer. */
const MAX_LAYER_BYTES = 128 * 1024 * 1024;
/** All layers of one tag together: what a reader holds in memory at once. */
const MAX_TOTAL_BYTES = 256 * 1024 * 1024;
const PARALLEL_FETCHES = 4;

/** What stands at a location's attestation tag. Without a manifest there is no evidence. */
export interface AttestationTagContent {
  readonly manifestDigest?: Digest;
  readonly layers: readonly Descriptor[];
  readonly evidence: readonly RawEvidence[];
  /** The tag holds an index, and these are the layers of its linux/amd64 child. */
  readonly insideIndex?: true;
}

/**
 * Reads all attestations of a location from cosign's tag (`sha256-<hex>.att`). A blob that the manifest lists and the
 * registry does not hold is listed without bytes, as the verifiers skip it.
 * @throws AppError the registry errors, `manifest-malformed`, `too-large`.
 */
export async function readAttestationTag(
  source: ReadTarget,
  location: EvidenceLocation,
  signal?: AbortSignal,
): Promise<AttestationTagContent> {
  return await readTag(source, location, attestationTag(location), signal);
}

/**
 * Reads all signatures of the image itself from cosign's tag (`sha256-<hex>.sig`), in the same way.
 * @throws AppError as `readAttestationTag`.
 */
export async function readSignatureTag(
  source: ReadTarget,
  location: EvidenceLocation,
  signal?: AbortSignal,
): Promise<readonly RawEvidence[]> {
  const { evidence } = await readTag(source, location, signatureTag(location), signal);
  return evidence.map((raw) => ({ ...raw, kind: 'image-signature' }));
}

async function readTag(
  source: ReadTarget,
  location: EvidenceLocation,
  tag: string,
  signal?: AbortSignal,
): Promise<AttestationTagContent> {
  const manifest = await manifestAt(source, location, tag, signal);
  if (!manifest) return { layers: [], evidence: [] };
  const { layers, ...inside } = await imageLayers(source, location, tag, manifest, signal);
  const total = layers.reduce((sum, layer) => sum + layer.size, 0);
  if (total > MAX_TOTAL_BYTES) {
    throw new AppError('too-large', `${tag} lists ${total} bytes, the limit is ${MAX_TOTAL_BYTES}`);
  }
  const manifestDigest = manifest.descriptor.digest;
  const evidence = await inParallel(layers, PARALLEL_FETCHES, async (descriptor): Promise<RawEvidence> => {
    const bytes = await layerBytes(source, location, descriptor, signal);
    return { location, layout: 'cosign-tag', manifestDigest, descriptor, ...(bytes ? { bytes } : {}) };
  });
  return { manifestDigest, layers, evidence, ...inside };
}

/** The manifest at a location's attestation tag; undefined when there is none. */
export async function tagManifest(
  source: ReadTarget,
  location: EvidenceLocation,
  signal?: AbortSignal,
): Promise<StoredManifest | undefined> {
  return await manifestAt(source, location, attestationTag(location), signal);
}

async function manifestAt(
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
): Promise<Pick<AttestationTagContent, 'layers' | 'insideIndex'>> {
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

async function layerBytes(
  source: ReadTarget,
  location: EvidenceLocation,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    return await readBlob(source, location.repository, descriptor, MAX_LAYER_BYTES, signal);
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return undefined;
    throw error;
  }
}

async function inParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  let next = 0;
  async function lane(): Promise<void> {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as Item);
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}
