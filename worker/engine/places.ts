import type { Digest } from '#model/digest.ts';
import {
  attestationTag,
  type EvidenceLayout,
  type EvidenceLocation,
  locationKey,
  type RawEvidence,
  signatureTag,
  type WrittenEvidence,
} from '#model/evidence.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import { SIMPLE_SIGNING } from '#model/media-types.ts';
import type { EvidenceType } from '#model/rule.ts';
import type { ReadTarget } from '#oci/target.ts';
import { readAttestationTag, readSignatures } from '#storage/attestation-tag-reader.ts';
import { type BundleContent, readBundles } from '#storage/bundle-reader.ts';
import type { TagContent } from '#storage/cosign-tag-reader.ts';
import { signatureIdentity } from '#storage/signature-tag-writer.ts';

/** Where pieces lie at a location: at one of cosign's two tags, or among the referrers. */
export const PLACES = ['attestations', 'signatures', 'bundles'] as const;
export type Place = (typeof PLACES)[number];

/** What stands at a location, as far as it was read. */
export interface PlaceContent {
  readonly attestations?: TagContent;
  readonly signatures?: TagContent;
  readonly bundles?: BundleContent;
}

/** Tells one piece of a location from all others. */
export type PieceId = string;

export function placeFor(type: EvidenceType, layout: EvidenceLayout): Place {
  if (layout === 'bundle') return 'bundles';
  return type === 'signature' ? 'signatures' : 'attestations';
}

function placeOf({ layout, kind }: RawEvidence): Place {
  if (layout === 'bundle') return 'bundles';
  return kind === 'image-signature' ? 'signatures' : 'attestations';
}

export function recordedPlace({ layout, descriptor }: WrittenEvidence): Place {
  if (layout === 'bundle') return 'bundles';
  return descriptor.mediaType === SIMPLE_SIGNING ? 'signatures' : 'attestations';
}

/** A bundle is told by the manifest that lists it: two manifests with one bundle are two of the few that readers take. */
export function bundleId(manifest: Digest): PieceId {
  return `bundles ${manifest}`;
}

export function layerId(place: 'attestations' | 'signatures', layer: RawEvidence['descriptor']): PieceId {
  return `${place} ${place === 'signatures' ? signatureIdentity(layer) : layer.digest}`;
}

export function pieceId(raw: RawEvidence): PieceId {
  const place = placeOf(raw);
  return place === 'bundles' ? bundleId(raw.manifestDigest) : layerId(place, raw.descriptor);
}

export function recordedId(entry: WrittenEvidence): PieceId {
  const place = recordedPlace(entry);
  return place === 'bundles' ? bundleId(entry.manifest ?? entry.descriptor.digest) : layerId(place, entry.descriptor);
}

/**
 * Reads places of a location.
 * @param known what was read there a moment ago: what its digests cover is not fetched again.
 * @throws AppError the registry errors, and those of bad manifests.
 */
export async function readPlaces(
  source: ReadTarget,
  location: EvidenceLocation,
  places: ReadonlySet<Place>,
  signal?: AbortSignal,
  known: PlaceContent = {},
): Promise<PlaceContent> {
  const { attestations, signatures, bundles } = known;
  const at = [source, location, signal] as const;
  return {
    ...(places.has('attestations') ? { attestations: await readAttestationTag(...at, attestations) } : {}),
    ...(places.has('signatures') ? { signatures: await readSignatures(...at, signatures) } : {}),
    ...(places.has('bundles') ? { bundles: await readBundles(...at, bundles) } : {}),
  };
}

export function evidenceAt(content: PlaceContent, place: Place): readonly RawEvidence[] {
  return content[place]?.evidence ?? [];
}

/** All pieces that were read, whether or not their blobs are there. */
export function listedPieces(content: PlaceContent): ReadonlySet<PieceId> {
  return new Set(PLACES.flatMap((place) => evidenceAt(content, place).map(pieceId)));
}

/** How people are told of a place. */
export function placeName(location: EvidenceLocation, place: Place): string {
  switch (place) {
    case 'attestations':
      return `${formatRepositoryRef(location)}:${attestationTag(location)}`;
    case 'signatures':
      return `${formatRepositoryRef(location)}:${signatureTag(location)}`;
    case 'bundles':
      return locationKey(location);
  }
}
