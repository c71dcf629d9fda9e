import { bundleId, layerId, type PieceId, type Place } from '#engine/places.ts';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, digestTag } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { attestationTag, type EvidenceLocation, signatureTag } from '#model/evidence.ts';
import { parseManifest } from '#oci/manifest.ts';
import type { ReadTarget } from '#oci/target.ts';

/** A tag that lists evidence of one location: each write of it names all pieces, and may lose what it does not know of. */
export interface EvidenceList {
  readonly place: Place;
  readonly location: EvidenceLocation;
  readonly tag: string;
}

/** What a list named at one time. */
export interface ListState {
  /** Absent where there is no list. */
  readonly digest?: Digest;
  /** Layers, or referrers. */
  readonly pieces: readonly Descriptor[];
}

/** A manifest that is no list: nothing can be told from it. */
const UNREADABLE: readonly string[] = ['manifest-malformed', 'media-type-unsupported', 'too-large', 'digest-mismatch'];

/** The lists of a location. Where the registry keeps the list of referrers itself, nobody writes one. */
export function evidenceLists(location: EvidenceLocation, referrers: 'api' | 'tag'): readonly EvidenceList[] {
  const tags: readonly EvidenceList[] = [
    { place: 'attestations', location, tag: attestationTag(location) },
    { place: 'signatures', location, tag: signatureTag(location) },
  ];
  return referrers === 'api' ? tags : [...tags, { place: 'bundles', location, tag: digestTag(location.digest) }];
}

/** The list as it stands, or as it stood under a digest; undefined when it cannot be read, or is no list. */
export async function readList(
  source: ReadTarget,
  { place, location, tag }: EvidenceList,
  digest?: Digest,
  signal?: AbortSignal,
): Promise<ListState | undefined> {
  try {
    const stored = await source.manifest(location.repository, digest ?? tag, signal);
    const manifest = parseManifest(stored);
    const state = { digest: stored.descriptor.digest };
    if (manifest.kind === 'index') return place === 'bundles' ? { ...state, pieces: manifest.manifests } : undefined;
    return place === 'bundles' ? undefined : { ...state, pieces: manifest.layers };
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found')
      return digest === undefined ? { pieces: [] } : undefined;
    if (error instanceof AppError && UNREADABLE.includes(error.code)) return undefined;
    throw error;
  }
}

export function listedId({ place }: EvidenceList, piece: Descriptor): PieceId {
  return place === 'bundles' ? bundleId(piece.digest) : layerId(place, piece);
}
