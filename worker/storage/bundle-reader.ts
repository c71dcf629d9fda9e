import type { Descriptor } from '#model/descriptor.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
import type { EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import { SIGSTORE_BUNDLE } from '#model/media-types.ts';
import { parseManifest } from '#oci/manifest.ts';
import type { ReadTarget, StoredManifest } from '#oci/target.ts';
import { inParallel } from '#storage/in-parallel.ts';
import { blobIfThere, MAX_PIECE_BYTES, MAX_TOTAL_BYTES } from '#storage/read-blob.ts';

const PARALLEL_FETCHES = 4;
/** Manifests of referrers are a few hundred bytes; a thousand of them are read at most. */
const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

/** Why a referrer is no bundle to read. */
export type SkipReason =
  | 'not-a-bundle'
  | 'manifest-missing'
  | 'manifest-unreadable'
  | 'bundle-unreadable'
  | 'too-large';

export interface SkippedReferrer {
  /** As the registry lists it. */
  readonly descriptor: Descriptor;
  readonly reason: SkipReason;
}

/** What refers to a location's subject. */
export interface BundleContent {
  /** In the registry's order, which some verifiers go by. */
  readonly evidence: readonly RawEvidence[];
  readonly skipped: readonly SkippedReferrer[];
}

/** A manifest that anybody put there and that is none: passed over, as cosign does, where its absence would be. */
const SKIPPED: Readonly<Partial<Record<ErrorCode, SkipReason>>> = {
  'not-found': 'manifest-missing',
  'manifest-malformed': 'manifest-unreadable',
  'media-type-unsupported': 'manifest-unreadable',
  'digest-mismatch': 'manifest-unreadable',
  'too-large': 'too-large',
};

const UNREADABLE: readonly string[] = ['digest-mismatch', 'layer-corrupt', 'too-large'];

interface FoundBundle {
  readonly manifest: Descriptor;
  readonly layer: Descriptor;
  readonly listed: Descriptor;
}

type Found = FoundBundle | { readonly skipped: SkippedReferrer };

/**
 * Reads all Sigstore bundles that refer to a location's subject (interop A.3.5). Every manifest is fetched: what a list
 * says of its type is hearsay. A bundle whose blob is gone is there without bytes.
 * @param known what was read there a moment ago: manifests and blobs by their digests are not fetched again.
 * @throws AppError the registry errors, and `too-large` when all of it is more than a reader may hold.
 */
export async function readBundles(
  source: ReadTarget,
  location: EvidenceLocation,
  signal?: AbortSignal,
  known?: BundleContent,
): Promise<BundleContent> {
  const { repository } = location;
  const held = new Map(known?.evidence.flatMap((raw) => (raw.bytes ? [[raw.manifestDigest, raw]] : [])));
  const listed: Descriptor[] = [];
  for await (const descriptor of source.referrers(repository, location.digest, signal)) listed.push(descriptor);
  const what = `${repository}@${location.digest}`;
  const spend = budget(MAX_MANIFEST_BYTES, `the referrers of ${what}`);
  const read = await inParallel(listed, PARALLEL_FETCHES, async (descriptor) => {
    const raw = held.get(descriptor.digest);
    if (raw) return { manifest: descriptor, layer: raw.descriptor, listed: descriptor, raw };
    const { size, ...found } = await readReferrer(source, repository, descriptor, signal);
    spend(size);
    return found;
  });
  const spendBundle = budget(MAX_TOTAL_BYTES, `the bundles of ${what}`);
  for (const found of read) if ('layer' in found) spendBundle(found.layer.size);
  const pieces = await inParallel(read, PARALLEL_FETCHES, async (found) => {
    if ('raw' in found) return found.raw;
    return 'layer' in found ? await readBundle(source, location, found, signal) : found.skipped;
  });
  return {
    evidence: pieces.flatMap((piece) => ('layout' in piece ? [piece] : [])),
    skipped: pieces.flatMap((piece) => ('reason' in piece ? [piece] : [])),
  };
}

/** Sizes in a manifest are its writer's word: bytes that are other or more than it says are no bundle to read. */
async function readBundle(
  source: ReadTarget,
  location: EvidenceLocation,
  { manifest, layer, listed }: FoundBundle,
  signal?: AbortSignal,
): Promise<RawEvidence | SkippedReferrer> {
  try {
    const bytes = await blobIfThere(source, location.repository, layer, MAX_PIECE_BYTES, signal);
    const found = { location, layout: 'bundle', manifestDigest: manifest.digest, descriptor: layer } as const;
    return { ...found, ...(bytes ? { bytes } : {}) };
  } catch (error) {
    if (!(error instanceof AppError) || !UNREADABLE.includes(error.code)) throw error;
    return { descriptor: listed, reason: 'bundle-unreadable' };
  }
}

/** `size` is what came: what a list says of sizes is hearsay too. */
async function readReferrer(
  source: ReadTarget,
  repository: string,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<Found & { readonly size: number }> {
  let size = 0;
  try {
    const stored = await source.manifest(repository, descriptor.digest, signal);
    size = stored.bytes.byteLength;
    const layer = bundleLayerOf(stored);
    if (layer && layer.size > MAX_PIECE_BYTES) return { skipped: { descriptor, reason: 'too-large' }, size };
    if (layer) return { manifest: stored.descriptor, layer, listed: descriptor, size };
    return { skipped: { descriptor, reason: 'not-a-bundle' }, size };
  } catch (error) {
    const reason = error instanceof AppError ? SKIPPED[error.code] : undefined;
    if (reason === undefined) throw error;
    return { skipped: { descriptor, reason }, size };
  }
}

/** The one layer of a manifest that is a bundle, whatever the version. */
function bundleLayerOf(stored: StoredManifest): Descriptor | undefined {
  const manifest = parseManifest(stored);
  if (manifest.kind !== 'manifest') return undefined;
  const [layer, ...more] = manifest.layers;
  return layer && more.length === 0 && layer.mediaType.startsWith(SIGSTORE_BUNDLE) ? layer : undefined;
}

/** Counts bytes. @throws AppError `too-large` once they are more than the limit. */
function budget(limit: number, what: string): (bytes: number) => void {
  let spent = 0;
  return (bytes) => {
    spent += bytes;
    if (spent > limit) throw new AppError('too-large', `${what} have more than ${limit} bytes`);
  };
}
