import { type Decision, decide, isIdle, repeat, type SettleOptions } from '#engine/decision.ts';
import { type Edit, editOf } from '#engine/edit.ts';
import type { EnginePorts } from '#engine/engine-ports.ts';
import { type PieceId, type PlaceContent, placeName, recordedId } from '#engine/places.ts';
import { recordAfter, union, withoutBundles, withoutPending } from '#engine/record.ts';
import { knowingRevocation } from '#engine/revocation.ts';
import { type SettledEvidence, settled } from '#engine/settled-evidence.ts';
import { type LocationSurvey, surveyLocation } from '#engine/survey.ts';
import type { PlacedWish } from '#engine/wish-location.ts';
import { allStands, prune, type WriteContext, writePlaces } from '#engine/write-places.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { type EvidenceLocation, locationKey, type WrittenEvidence } from '#model/evidence.ts';
import type { Lease } from '#model/ports.ts';

export type { SettledEvidence } from '#engine/settled-evidence.ts';

/** How often a location is tried when other writers come between; they hold it for milliseconds. */
const MAX_ATTEMPTS = 6;
const LOCK_WAIT_MS = 30_000;

/** Brings one prepared location to what its wishes say, all layers of a tag in one PUT, and reads it back. */
export type Settle = () => Promise<readonly SettledEvidence[]>;

/**
 * Looks at one evidence location and makes what is missing there; nothing is written before the answer is called. The
 * look is without the lock: where nothing is missing, nothing is written.
 * @throws AppError `lock-lost`, `write-conflict` when other writers keep coming between, and the registry errors.
 */
export async function prepareLocation(
  placed: readonly PlacedWish[],
  ports: EnginePorts,
  options: SettleOptions,
): Promise<Settle> {
  const { location } = firstOf(placed);
  const look = () => surveyLocation(location, placed, ports, options.signal);
  const before = await knowingRevocation(ports, look, options.signal);
  const first = decide(before, options);
  if (isIdle(first) && !first.some(({ unconfirmed }) => unconfirmed) && before.stale.length === 0) {
    return async () => first.map((decision) => settled(decision));
  }
  // Statements are made before the lock is taken: walking layers takes seconds, a PUT milliseconds.
  await editOf(first, firstOf(placed).descriptor, ports.now(), options);
  return () => underLock(location, placed, ports, options, before.content);
}

async function underLock(
  location: EvidenceLocation,
  placed: readonly PlacedWish[],
  ports: EnginePorts,
  options: SettleOptions,
  seen: PlaceContent,
): Promise<readonly SettledEvidence[]> {
  await using lease = await ports.lock.acquire(location, LOCK_WAIT_MS, options.signal);
  const context = { target: ports.registries.target(location.registry), lease, ownPushes: ports.ownPushes };
  const created = ports.now();
  let written: readonly Decision[] | undefined;
  let overwritten = locationKey(location);
  let known = seen;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    options.signal?.throwIfAborted();
    const survey = await surveyLocation(location, placed, ports, lease.signal, known);
    known = survey.content;
    const decisions = written ? repeat(written, survey) : decide(survey, options);
    if (isIdle(decisions)) {
      if (decisions.some(({ unconfirmed }) => unconfirmed)) {
        await replaceRecord(location, withoutPending(survey.written, piecesOf(decisions)), ports, lease);
      }
      return await finish(written ?? decisions, survey, location, context, ports);
    }
    const edit = await editOf(decisions, firstOf(placed).descriptor, created, options);
    overwritten = [...new Set(edit.pieces.map(({ slot }) => placeName(location, slot.place)))].join(', ');
    const record = recordAfter(survey.written, edit, decisions, ports.now());
    await replaceRecord(location, union(survey.written, record), ports, lease);
    try {
      await writePlaces(context, location, survey.content, edit);
    } catch (error) {
      if (error instanceof AppError && error.code === 'write-conflict') continue;
      throw error;
    }
    written = withPieces(written ?? decisions, edit);
    await replaceRecord(location, withoutPending(record, piecesOf(written)), ports, lease);
    if (await allStands(context, location, edit)) return await finish(written, survey, location, context, ports);
  }
  throw new AppError('write-conflict', `other writers keep overwriting ${overwritten}`);
}

function firstOf(placed: readonly PlacedWish[]): PlacedWish {
  return placed[0] as PlacedWish;
}

/** The decisions with the pieces that now stand for them. */
function withPieces(decisions: readonly Decision[], { pieces }: Edit): readonly Decision[] {
  return decisions.map((decision) => {
    const piece = pieces.find(
      ({ slot }) => slot.placed === decision.slot.placed && slot.layout === decision.slot.layout,
    );
    return piece ? { ...decision, piece: { id: piece.id, digest: piece.layer.digest } } : decision;
  });
}

/** Deletes the bundles that were superseded, now or by a run that did not come to it, and says which stay. */
async function finish(
  decisions: readonly Decision[],
  { stale }: LocationSurvey,
  location: EvidenceLocation,
  context: WriteContext,
  ports: EnginePorts,
): Promise<readonly SettledEvidence[]> {
  const standing = piecesOf(decisions);
  const superseded = decisions
    .filter(({ action }) => action !== 'keep' && action !== 'refuse')
    .flatMap((decision) => decision.superseded.filter(({ layout }) => layout === 'bundle'));
  const leftOver = stale.filter((entry) => !standing.has(recordedId(entry)));
  const manifests = new Set<Digest>([
    ...superseded.map(({ manifestDigest }) => manifestDigest),
    ...leftOver.flatMap(({ manifest }) => (manifest === undefined ? [] : [manifest])),
  ]);
  for (const { piece } of decisions) {
    for (const manifest of manifests) if (piece?.id.endsWith(manifest)) manifests.delete(manifest);
  }
  const { pruned, kept } = await prune(context, location, [...manifests]);
  if (pruned.length > 0) {
    const record = await ports.written.list(location);
    await replaceRecord(location, withoutBundles(record, pruned), ports, context.lease);
  }
  return decisions.map((decision) => settled(decision, kept));
}

/** The record is one writer's too: who was stopped for longer than the lease must not put back an old one. */
async function replaceRecord(
  location: EvidenceLocation,
  record: readonly WrittenEvidence[],
  ports: EnginePorts,
  lease: Lease,
): Promise<void> {
  await lease.check();
  await ports.written.replace(location, record);
}

function piecesOf(decisions: readonly Decision[]): ReadonlySet<PieceId> {
  return new Set(decisions.flatMap(({ piece }) => (piece === undefined ? [] : [piece.id])));
}
