import type { Decision } from '#engine/decision.ts';
import type { Edit, WrittenPiece } from '#engine/edit.ts';
import { type PieceId, pieceId, recordedId } from '#engine/places.ts';
import { readSignedPiece } from '#engine/signed-piece.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import type { RawEvidence, SignedFor, WrittenEvidence } from '#model/evidence.ts';

/**
 * The record of what we are about to write: what the edit leaves of the one before, and what it adds. Bundles that are
 * superseded stay in it until they are deleted, so that a run that dies before leaves nothing behind for good.
 */
export function recordAfter(
  before: readonly WrittenEvidence[],
  edit: Edit,
  decisions: readonly Decision[],
  now: Date,
): readonly WrittenEvidence[] {
  const coming = new Set(edit.pieces.map(({ id }) => id));
  const writing = decisions.filter(({ action }) => action !== 'keep' && action !== 'refuse');
  const superseded = writing.flatMap((decision) => decision.superseded.map((raw) => ({ raw, decision })));
  const bundles = superseded.filter(({ raw }) => raw.layout === 'bundle' && !coming.has(pieceId(raw)));
  const leaving = bundles.map(({ raw, decision }) => leavingBundle(raw, decision, before, now));
  const forgotten = new Set([
    ...superseded.map(({ raw }) => pieceId(raw)),
    ...writing.flatMap(({ slot, action }) => [
      ...slot.gone.map(recordedId),
      ...(slot.lost && action !== 'relist' ? [recordedId(slot.lost.entry)] : []),
    ]),
  ]);
  const kept = before.filter((entry) => coming.has(recordedId(entry)) || !forgotten.has(recordedId(entry)));
  const added = edit.pieces.flatMap((piece) => {
    const decision = decisions.find(({ slot }) => {
      return slot.placed === piece.slot.placed && slot.layout === piece.slot.layout;
    });
    return piece.signed ? [pendingEntry(piece, piece.signed, decision?.signedFor, now)] : [];
  });
  return union(kept, [...leaving, ...added]);
}

function pendingEntry(
  { slot, layer, manifest }: WrittenPiece,
  { payloadDigest, fingerprint }: NonNullable<WrittenPiece['signed']>,
  signedFor: SignedFor | undefined,
  now: Date,
): WrittenEvidence {
  const { predicateType, rule } = slot.placed.wish;
  return {
    layout: slot.layout,
    descriptor: layer,
    ...(manifest === undefined ? {} : { manifest }),
    payloadDigest,
    predicateType,
    signer: fingerprint,
    rule,
    ...(signedFor ? { signedFor } : {}),
    writtenAt: now.toISOString(),
    pending: true,
  };
}

function leavingBundle(
  raw: RawEvidence,
  { slot }: Decision,
  before: readonly WrittenEvidence[],
  now: Date,
): WrittenEvidence {
  const known = before.find((entry) => recordedId(entry) === pieceId(raw));
  if (known) return { ...known, superseded: true };
  const { predicateType, rule, identity } = slot.placed.wish;
  const payload = readSignedPiece(raw)?.payload;
  return {
    layout: 'bundle',
    descriptor: raw.descriptor,
    manifest: raw.manifestDigest,
    payloadDigest: payload ? sha256(payload) : raw.descriptor.digest,
    predicateType,
    signer: identity.signer.fingerprint,
    rule,
    writtenAt: now.toISOString(),
    superseded: true,
  };
}

/** The record once these pieces are known to be listed. */
export function withoutPending(
  record: readonly WrittenEvidence[],
  listed: ReadonlySet<PieceId>,
): readonly WrittenEvidence[] {
  return record.map(({ pending, ...entry }) =>
    pending && !listed.has(recordedId(entry)) ? { ...entry, pending } : entry,
  );
}

/** The record once these referrers are deleted. */
export function withoutBundles(
  record: readonly WrittenEvidence[],
  deleted: readonly Digest[],
): readonly WrittenEvidence[] {
  return record.filter(({ manifest }) => manifest === undefined || !deleted.includes(manifest));
}

/** Both records, each piece once; the second is the newer one. */
export function union(
  first: readonly WrittenEvidence[],
  second: readonly WrittenEvidence[],
): readonly WrittenEvidence[] {
  const newer = new Set(second.map(recordedId));
  return [...first.filter((entry) => !newer.has(recordedId(entry))), ...second];
}
