import type { EnginePorts } from '#engine/engine-ports.ts';
import { hiddenEvidence, holdsBundle } from '#engine/hiding.ts';
import { isOwn, isRecordAt, type PresentSigners } from '#engine/ownership.ts';
import {
  evidenceAt,
  listedPieces,
  type PieceId,
  PLACES,
  type PlaceContent,
  pieceId,
  readPlaces,
  recordedId,
} from '#engine/places.ts';
import { type Slot, slotsOf } from '#engine/slot.ts';
import { heldUnderTrust, recordedPiece, stands } from '#engine/standing.ts';
import type { PlacedWish } from '#engine/wish-location.ts';
import type { EvidenceLocation, RawEvidence, WrittenEvidence } from '#model/evidence.ts';
import type { ReadTarget } from '#oci/target.ts';
import { isListedAs } from '#storage/attestation-manifest.ts';

/** What a location holds, measured against one slot. */
export interface SlotSurvey extends Slot {
  /** Pieces that hold under the wish's trust, whoever signed them, and those of ours that stand. */
  readonly held: readonly RawEvidence[];
  /** Pieces of ours for this slot, whether they hold or not. */
  readonly own: readonly RawEvidence[];
  /** Those of them that stand. */
  readonly standing: readonly RawEvidence[];
  /** What we wrote, is not listed as we wrote it, still is in the registry and would hold: listed again, unsigned. */
  readonly lost?: { readonly entry: WrittenEvidence; readonly raw: RawEvidence };
  /** What we wrote and is gone for good. */
  readonly gone: readonly WrittenEvidence[];
}

export interface LocationSurvey {
  readonly content: PlaceContent;
  readonly listed: ReadonlySet<PieceId>;
  readonly written: readonly WrittenEvidence[];
  readonly slots: readonly SlotSurvey[];
  /** Pieces at cosign's tags that a first bundle would hide; none once there is a bundle. */
  readonly hidden: readonly RawEvidence[];
  /** Bundles of ours that others of ours have replaced, and that can be deleted. */
  readonly stale: readonly WrittenEvidence[];
}

interface Measured {
  readonly now: Date;
  readonly content: PlaceContent;
  readonly written: readonly WrittenEvidence[];
  readonly present: PresentSigners;
}

/**
 * Reads a location once and measures it against all wishes that concern it.
 * @param known what was read there a moment ago; blobs that went since then are missed by the registry, when it is to list
 * them.
 */
export async function surveyLocation(
  location: EvidenceLocation,
  placed: readonly PlacedWish[],
  ports: EnginePorts,
  signal?: AbortSignal,
  known?: PlaceContent,
): Promise<LocationSurvey> {
  const source = ports.registries.target(location.registry);
  const slots = placed.flatMap(slotsOf);
  const content = await readContent(source, location, slots, signal, known);
  const written = await ports.written.list(location);
  // Who takes over the provenance of others is present, too, where their source is away for now.
  const identities = placed.flatMap(({ wish }) => [wish, ...(wish.imports ?? [])]);
  const present = new Set(identities.map(({ identity }) => identity.signer.fingerprint));
  // One time for all: what is judged at it is judged once.
  const measured = { content, written, present, now: ports.now() };
  const surveyed: SlotSurvey[] = [];
  for (const slot of slots) surveyed.push(await surveySlot(slot, measured, ports, signal));
  const listed = listedPieces(content);
  const superseded = written.filter((entry) => entry.superseded && listed.has(recordedId(entry)));
  const stale = superseded.length > 0 && (await mayDelete(ports, location, signal)) ? superseded : [];
  return { content, listed, written, slots: surveyed, hidden: hiddenEvidence(slots, measured), stale };
}

/** The places of the slots; where a first bundle may come, also what it would hide. */
async function readContent(
  source: ReadTarget,
  location: EvidenceLocation,
  slots: readonly Slot[],
  signal?: AbortSignal,
  known?: PlaceContent,
): Promise<PlaceContent> {
  const wanted = new Set(slots.map(({ place }) => place));
  const content = await readPlaces(source, location, wanted, signal, known);
  if (!wanted.has('bundles') || holdsBundle(content)) return content;
  const others = new Set(PLACES.filter((place) => !wanted.has(place)));
  return { ...content, ...(await readPlaces(source, location, others, signal, known)) };
}

async function surveySlot(
  slot: Slot,
  { now, content, written, present }: Measured,
  ports: EnginePorts,
  signal?: AbortSignal,
): Promise<SlotSurvey> {
  const { placed, place } = slot;
  const { wish } = placed;
  const evidence = evidenceAt(content, place);
  const ours = evidence.filter((raw) => isOwn(raw, wish, written, present));
  // What was superseded stands no more, though it may hold: it waits for its deletion.
  const superseded = new Set(written.filter((entry) => entry.superseded).map(recordedId));
  const current = ours.filter((raw) => !superseded.has(pieceId(raw)));
  const recordedIds = new Set(written.map(recordedId));
  const standing = current.filter(
    (raw) => isListedAsWritten(raw, written) && stands(raw, placed, now, recordedIds.has(pieceId(raw))),
  );
  const candidates = evidence.filter((raw) => !superseded.has(pieceId(raw)));
  const held = heldUnderTrust(candidates, placed, now);
  let lost: SlotSurvey['lost'];
  const gone: WrittenEvidence[] = [];
  // Own evidence that stands makes older records of the same type history, not loss.
  const recorded = standing.length > 0 ? [] : written.filter((entry) => isRecordAt(entry, place, wish, present));
  for (const entry of recorded) {
    const raw = await recordedPiece(entry, placed, ports, signal);
    if (raw) lost = { entry, raw };
    else if (!wish.ready || entry.payloadDigest === wish.ready.digest) gone.push(entry);
  }
  return {
    ...slot,
    held: [...new Map([...held, ...standing].map((raw) => [pieceId(raw), raw])).values()],
    own: current,
    standing,
    ...(lost ? { lost } : {}),
    gone,
  };
}

/** A layer that another writer lists without our annotations is not what we wrote. */
function isListedAsWritten(raw: RawEvidence, written: readonly WrittenEvidence[]): boolean {
  const id = pieceId(raw);
  const recorded = written.find((entry) => recordedId(entry) === id);
  // A bundle's annotations are those of its manifest, which the digest covers.
  return recorded === undefined || raw.layout === 'bundle' || isListedAs(raw.descriptor, recorded.descriptor);
}

/** At the fallback tag a referrer is taken off the list even where the registry deletes nothing. */
async function mayDelete(ports: EnginePorts, location: EvidenceLocation, signal?: AbortSignal): Promise<boolean> {
  const target = ports.registries.target(location.registry);
  const { deletes, referrers } = await target.capabilities(location.repository, signal);
  return deletes !== false || referrers === 'tag';
}
