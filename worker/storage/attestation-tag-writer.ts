import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { attestationTag, type EvidenceLocation } from '#model/evidence.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '#model/media-types.ts';
import type { Lease, OwnPushes } from '#model/ports.ts';
import type { SignedStatement } from '#model/signed-statement.ts';
import { parseManifest } from '#oci/manifest.ts';
import type { Target } from '#oci/target.ts';
import { attestationConfig, attestationLayer, attestationManifest, isListedAs } from '#storage/attestation-manifest.ts';
import { type AttestationTagContent, tagManifest } from '#storage/attestation-tag-reader.ts';

/** go-containerregistry based readers refuse more layers. */
const MAX_LAYERS = 1000;

/** One change of a location's attestation tag; everything that it does not name stays as it is. */
export interface AttestationEdit {
  /** New statements; appended in order. */
  readonly add: readonly SignedStatement[];
  /** Layers of ours to list again, exactly as they were written; their blobs are in the registry. */
  readonly relist: readonly Descriptor[];
  /** Layers of ours to drop. */
  readonly drop: ReadonlySet<Digest>;
}

export interface WriteContext {
  readonly target: Target;
  readonly lease: Lease;
  readonly ownPushes: OwnPushes;
}

export interface WrittenManifest {
  readonly manifestDigest: Digest;
  readonly layers: readonly Descriptor[];
}

/**
 * Applies an edit to the layers that were read, in one manifest PUT. The fence is checked and the tag compared just
 * before the PUT: a legacy tag has no conditional request, so what another tool writes in that instant is found by
 * reading back.
 * @throws AppError `lock-lost`, `write-conflict` when the tag is no longer what was read, `too-large`,
 * `media-type-unsupported` when somebody keeps an index there, `registry-refused` when blobs that others listed are gone.
 */
export async function writeAttestationTag(
  { target, lease, ownPushes }: WriteContext,
  location: EvidenceLocation,
  read: AttestationTagContent,
  edit: AttestationEdit,
): Promise<WrittenManifest> {
  if (read.insideIndex) throw cannotAppend(location);
  const layers = editedLayers(read.layers, edit);
  if (layers.length > MAX_LAYERS) {
    throw new AppError('too-large', `${attestationTag(location)} would list ${layers.length} attestations`, {
      mend: `readers take at most ${MAX_LAYERS}: remove old attestations from this tag`,
    });
  }
  const { repository } = location;
  const { signal } = lease;
  for (const statement of edit.add) {
    await target.pushBlob(repository, statement.envelope, attestationLayer(statement).mediaType, signal);
  }
  const config = attestationConfig(layers);
  await target.pushBlob(repository, config, OCI_CONFIG, signal);
  const manifest = attestationManifest(layers, config);
  const manifestDigest = sha256(manifest);
  // Registries may send the event of a push before they answer it.
  await ownPushes.announce(formatRepositoryRef(location), manifestDigest);
  await refuseChangedTag(target, location, read.manifestDigest, signal);
  await lease.check();
  try {
    await target.pushManifest(repository, attestationTag(location), manifest, OCI_MANIFEST, signal);
  } catch (error) {
    throw blobsOfOthersGone(error, location, read, layers);
  }
  return { manifestDigest, layers };
}

/** Registries take no list of blobs that they do not hold, and what others listed is not ours to take off. */
function blobsOfOthersGone(
  error: unknown,
  location: EvidenceLocation,
  read: AttestationTagContent,
  layers: readonly Descriptor[],
): unknown {
  const dead = read.evidence.filter(({ bytes }) => bytes === undefined).map(({ descriptor }) => descriptor.digest);
  const listed = dead.filter((digest) => layers.some((layer) => layer.digest === digest));
  if (!(error instanceof AppError) || error.code !== 'not-found' || listed.length === 0) return error;
  const tag = `${formatRepositoryRef(location)}:${attestationTag(location)}`;
  const message = `${tag} lists ${listed.join(', ')}, which the registry does not hold; it takes no list with them`;
  return new AppError('registry-refused', message, {
    cause: error,
    mend: 'these attestations are not ours: upload the blobs again, or take them off that tag',
  });
}

/** Reads the tag back: answers the layers that were wanted and are not there as they were written. */
export async function missingAfterWrite(
  target: Target,
  location: EvidenceLocation,
  wanted: readonly Descriptor[],
  signal?: AbortSignal,
): Promise<readonly Descriptor[]> {
  const stored = await tagManifest(target, location, signal);
  const manifest = stored ? parseManifest(stored) : undefined;
  const present = manifest?.kind === 'manifest' ? manifest.layers : [];
  return wanted.filter((layer) => !present.some((found) => isListedAs(found, layer)));
}

function editedLayers(layers: readonly Descriptor[], edit: AttestationEdit): readonly Descriptor[] {
  const kept = layers.filter((layer) => !edit.drop.has(layer.digest));
  const present = new Set(kept.map((layer) => layer.digest));
  const appended = [...edit.relist, ...edit.add.map(attestationLayer)].filter((layer) => {
    if (present.has(layer.digest)) return false;
    present.add(layer.digest);
    return true;
  });
  return [...kept, ...appended];
}

/** A manifest in its place would take away what the other children of the index list. */
function cannotAppend(location: EvidenceLocation): AppError {
  const message = `${formatRepositoryRef(location)}:${attestationTag(location)} holds an index, not attestations`;
  return new AppError('media-type-unsupported', message, {
    mend: 'move the index to another tag; attestations are appended to an image manifest',
  });
}

async function refuseChangedTag(
  target: Target,
  location: EvidenceLocation,
  expected: Digest | undefined,
  signal: AbortSignal,
): Promise<void> {
  const found = await tagDigest(target, location, signal);
  if (found === expected) return;
  throw new AppError('write-conflict', `${attestationTag(location)} changed while its evidence was being written`);
}

async function tagDigest(target: Target, location: EvidenceLocation, signal: AbortSignal): Promise<Digest | undefined> {
  try {
    return (await target.resolve(location.repository, attestationTag(location), signal)).digest;
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return undefined;
    throw error;
  }
}
