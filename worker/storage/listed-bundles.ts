import type { Descriptor } from '#model/descriptor.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
import type { EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import { SIGSTORE_BUNDLE } from '#model/media-types.ts';
import { parseManifest } from '#oci/manifest.ts';
import type { ReadTarget } from '#oci/target.ts';
import { inParallel } from '#storage/in-parallel.ts';
import { blobIfThere, MAX_TOTAL_BYTES } from '#storage/read-blob.ts';

/** What Kyverno takes of one image and of one layer (interop specification B.10). */
export const MAX_LISTED_REFERRERS = 50;
export const MAX_LISTED_BUNDLE_BYTES = 10 * 1024 * 1024;

const PARALLEL_FETCHES = 4;
/** A bundle that signs the manifest's bytes instead of stating something of them. */
const SIGNS_BYTES = '"messageSignature"';

/** What the list of a subject's referrers says is a bundle. */
export interface ListedBundles {
  /** In the registry's order. What cannot be read as a bundle's first layer is there without bytes. */
  readonly evidence: readonly RawEvidence[];
  /** Referrers of any kind. */
  readonly listed: number;
  /** Bytes of the subject's manifest, where a bundle signs them. */
  readonly artifact?: Uint8Array;
}

/** The writer's fault: the reader that is emulated gives up over it, and its verdict is on what is there. */
const UNREADABLE: readonly ErrorCode[] = [
  'not-found',
  'manifest-malformed',
  'media-type-unsupported',
  'digest-mismatch',
  'layer-corrupt',
  'too-large',
];

/**
 * Reads referrers as Kyverno's type SigstoreBundle does (interop specification B.10): those whose entry in the list says
 * that they are bundles, whatever their manifests say, and of each the first layer, whatever its media type. What follows on a
 * second page of the list is not seen. Of a list
 * that is longer than Kyverno takes nothing is fetched.
 * @throws AppError the registry errors, and `too-large` when all of it is more than a reader may hold.
 */
export async function readListedBundles(
  source: ReadTarget,
  location: EvidenceLocation,
  signal?: AbortSignal,
): Promise<ListedBundles> {
  const listed: Descriptor[] = [];
  for await (const descriptor of source.referrers(location.repository, location.digest, signal, 'first'))
    listed.push(descriptor);
  if (listed.length > MAX_LISTED_REFERRERS) return { evidence: [], listed: listed.length };
  const bundles = listed.filter(({ artifactType = '' }) => artifactType.startsWith(SIGSTORE_BUNDLE));
  let spent = 0;
  const evidence = await inParallel(bundles, PARALLEL_FETCHES, async (descriptor) => {
    const piece = await readListed(source, location, descriptor, signal);
    spent += piece.bytes?.byteLength ?? 0;
    if (spent > MAX_TOTAL_BYTES) {
      throw new AppError(
        'too-large',
        `the bundles of ${location.repository}@${location.digest} are too large together`,
      );
    }
    return piece;
  });
  const signsBytes = evidence.some(({ bytes }) => bytes && Buffer.from(bytes).includes(SIGNS_BYTES));
  if (!signsBytes) return { evidence, listed: listed.length };
  const { bytes: artifact } = await source.manifest(location.repository, location.digest, signal);
  return { evidence, listed: listed.length, artifact };
}

async function readListed(
  source: ReadTarget,
  location: EvidenceLocation,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<RawEvidence> {
  const found = { location, layout: 'bundle', manifestDigest: descriptor.digest } as const;
  try {
    const manifest = parseManifest(await source.manifest(location.repository, descriptor.digest, signal));
    const [layer] = manifest.kind === 'manifest' ? manifest.layers : [];
    if (!layer) return { ...found, descriptor };
    if (layer.size > MAX_LISTED_BUNDLE_BYTES) return { ...found, descriptor: layer };
    const bytes = await blobIfThere(source, location.repository, layer, MAX_LISTED_BUNDLE_BYTES, signal);
    return { ...found, descriptor: layer, ...(bytes ? { bytes } : {}) };
  } catch (error) {
    if (!(error instanceof AppError) || !UNREADABLE.includes(error.code)) throw error;
    return { ...found, descriptor };
  }
}
