import type { EnginePorts } from '#engine/engine-ports.ts';
import { type EvidenceList, evidenceLists, type ListState, listedId, readList } from '#engine/evidence-list.ts';
import { findOverwritten, type OverwrittenPorts } from '#engine/overwritten.ts';
import { placeName, recordedPlace } from '#engine/places.ts';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceLocation, WrittenEvidence } from '#model/evidence.ts';
import { BUNDLE_PREDICATE_TYPE, PREDICATE_TYPE_ANNOTATION } from '#model/media-types.ts';
import type { StoredManifest } from '#oci/target.ts';
import { isListedAs } from '#storage/attestation-manifest.ts';
import { relistReferrers } from '#storage/bundle-writer.ts';
import { type WriteContext, writeCosignTag } from '#storage/cosign-tag-writer.ts';

export interface MendPorts extends OverwrittenPorts, Pick<EnginePorts, 'lock' | 'written'> {}

/** A piece that is listed again. */
export interface MendedPiece {
  /** As people are told of it. */
  readonly location: string;
  readonly layout: 'cosign-tag' | 'bundle';
  readonly predicateType: string;
  /** The record of it, where it is ours. */
  readonly entry?: WrittenEvidence;
  /** Of the layer or referrer. */
  readonly digest: Digest;
}

const LOCK_WAIT_MS = 30_000;
const MAX_ATTEMPTS = 6;

/** What one list lacks. */
interface Lack {
  readonly list: EvidenceList;
  readonly current: ListState;
  readonly ours: readonly WrittenEvidence[];
  readonly theirs: readonly Descriptor[];
}

/**
 * Lists again what writers lost at one location: ours, by the record of what we wrote, and what our own writing took from
 * others. Nothing is signed, and only what the registry still holds comes back.
 * @param mayRelist whether a recorded piece is to stand.
 * @throws AppError `lock-lost`, `write-conflict` when other writers keep coming between, and the registry errors.
 */
export async function mendLocation(
  location: EvidenceLocation,
  ports: MendPorts,
  mayRelist: (entry: WrittenEvidence) => boolean,
  signal?: AbortSignal,
): Promise<readonly MendedPiece[]> {
  const target = ports.registries.target(location.registry);
  await using lease = await ports.lock.acquire(location, LOCK_WAIT_MS, signal);
  const context: WriteContext = { target, lease, ownPushes: ports.ownPushes };
  const { referrers = 'tag' } = await target.capabilities(location.repository, lease.signal);
  const mended: MendedPiece[] = [];
  for (const list of evidenceLists(location, referrers)) {
    mended.push(...(await mendList(list, context, ports, mayRelist)));
  }
  return mended;
}

/** Whether a location lacks what we wrote there; asks for lists alone, and for nothing where we wrote nothing. */
export async function lacksRecorded(
  location: EvidenceLocation,
  ports: Pick<MendPorts, 'registries' | 'written'>,
  mayRelist: (entry: WrittenEvidence) => boolean,
  signal?: AbortSignal,
): Promise<boolean> {
  const written = (await ports.written.list(location)).filter((entry) => isToStand(entry) && mayRelist(entry));
  if (written.length === 0) return false;
  const target = ports.registries.target(location.registry);
  const { referrers = 'tag' } = await target.capabilities(location.repository, signal);
  for (const list of evidenceLists(location, referrers)) {
    const recorded = written.filter((entry) => recordedPlace(entry) === list.place);
    if (recorded.length === 0) continue;
    const current = await readList(target, list, undefined, signal);
    if (current && recorded.some((entry) => !isListed(entry, current))) return true;
  }
  return false;
}

async function mendList(
  list: EvidenceList,
  context: WriteContext,
  ports: MendPorts,
  mayRelist: (entry: WrittenEvidence) => boolean,
): Promise<readonly MendedPiece[]> {
  const { signal } = context.lease;
  const mended = new Map<string, MendedPiece>();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const current = await readList(context.target, list, undefined, signal);
    if (!current) return [];
    const written = (await ports.written.list(list.location)).filter((entry) => isToStand(entry) && mayRelist(entry));
    const recorded = written.filter((entry) => recordedPlace(entry) === list.place && !isListed(entry, current));
    const { pieces, looked } = await findOverwritten(list, current, ports, signal);
    const held = await heldPieces({ list, current, ours: recorded, theirs: pieces }, context);
    if (held.ours.length + held.theirs.length === 0) {
      await ports.evidencePushes.drop(list.location, list.tag, looked);
      return [...mended.values()];
    }
    try {
      await writeLack(held, context);
    } catch (error) {
      if (error instanceof AppError && error.code === 'write-conflict') continue;
      throw error;
    }
    for (const piece of mendedPieces(held)) mended.set(piece.digest, piece);
  }
  throw new AppError('write-conflict', `other writers keep overwriting ${placeName(list.location, list.place)}`);
}

/** A run that did not live to see its writing stand is repeated by its job; what was replaced stands no more. */
function isToStand({ pending, superseded }: WrittenEvidence): boolean {
  return !pending && !superseded;
}

function isListed(entry: WrittenEvidence, current: ListState): boolean {
  const { manifest, descriptor } = entry;
  return current.pieces.some((piece) =>
    entry.layout === 'bundle' ? piece.digest === manifest : isListedAs(piece, descriptor),
  );
}

interface HeldLack extends Lack {
  /** Referrers' manifests; tags list blobs. */
  readonly manifests: readonly StoredManifest[];
}

/** What of it the registry still holds: it lists nothing else. */
async function heldPieces({ list, current, ours, theirs }: Lack, { target, lease }: WriteContext): Promise<HeldLack> {
  const { repository } = list.location;
  const manifests: StoredManifest[] = [];
  const isHeld = async ({ digest }: Pick<Descriptor, 'digest'>): Promise<boolean> => {
    if (list.place !== 'bundles') return await target.hasBlob(repository, digest, lease.signal);
    try {
      manifests.push(await target.manifest(repository, digest, lease.signal));
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === 'not-found') return false;
      throw error;
    }
  };
  const heldOurs: WrittenEvidence[] = [];
  for (const entry of ours) {
    if (await isHeld({ digest: entry.manifest ?? entry.descriptor.digest })) heldOurs.push(entry);
  }
  const heldTheirs: Descriptor[] = [];
  for (const piece of theirs) if (await isHeld(piece)) heldTheirs.push(piece);
  return { list, current, ours: heldOurs, theirs: heldTheirs, manifests };
}

async function writeLack({ list, current, ours, theirs, manifests }: HeldLack, context: WriteContext): Promise<void> {
  if (list.place === 'bundles') {
    await relistReferrers(context, list.location, manifests);
    return;
  }
  const { location, tag } = list;
  const relist = [...theirs, ...ours.map(({ descriptor }) => descriptor)];
  const again = new Set(relist.map((piece) => listedId(list, piece)));
  const identity = (piece: Descriptor) => listedId(list, piece);
  const { digest, pieces } = current;
  const read = { layers: pieces, evidence: [], ...(digest === undefined ? {} : { manifestDigest: digest }) };
  // One that is listed without what we wrote beside it is listed anew.
  await writeCosignTag(context, { location, tag, identity }, read, {
    add: [],
    relist,
    drops: (piece) => again.has(identity(piece)),
  });
}

function mendedPieces({ list, ours, theirs }: HeldLack): readonly MendedPiece[] {
  const location = placeName(list.location, list.place);
  const layout = list.place === 'bundles' ? 'bundle' : 'cosign-tag';
  return [
    ...ours.map((entry): MendedPiece => {
      const { predicateType, descriptor } = entry;
      return { location, layout, predicateType, entry, digest: descriptor.digest };
    }),
    ...theirs.map(({ digest, annotations = {} }): MendedPiece => {
      const told = annotations[PREDICATE_TYPE_ANNOTATION] ?? annotations[BUNDLE_PREDICATE_TYPE] ?? '';
      return { location, layout, predicateType: told, digest };
    }),
  ];
}
