import type { EnginePorts } from '#engine/engine-ports.ts';
import { type EvidenceList, type ListState, listedId, readList } from '#engine/evidence-list.ts';
import type { PieceId } from '#engine/places.ts';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import type { EvidencePush, EvidencePushes } from '#model/ports.ts';

export interface OverwrittenPorts extends Pick<EnginePorts, 'registries' | 'ownPushes'> {
  readonly evidencePushes: EvidencePushes;
}

export interface Overwritten {
  /** Pieces of others that a list of ours went over, and that the present one does not name. */
  readonly pieces: readonly Descriptor[];
  /** Pushes that need no further look once these pieces are listed. */
  readonly looked: readonly EvidencePush[];
}

/** Lists of ours that came one after another are followed so far. */
const MAX_STEPS = 50;

/**
 * What others listed in the instant between our last look at a list and our writing it: registries know no conditional
 * write, and only their own account of the pushes, in order, tells that there was one in between. A list of others that was
 * followed by another one of others is their own matter.
 */
export async function findOverwritten(
  list: EvidenceList,
  current: ListState,
  ports: OverwrittenPorts,
  signal?: AbortSignal,
): Promise<Overwritten> {
  const { location, tag } = list;
  const name = formatRepositoryRef(location);
  const source = ports.registries.target(location.registry);
  const pushes = await ports.evidencePushes.list(location, tag);
  const own = new Map<Digest, Digest | 'nothing' | undefined>();
  for (const { digest } of pushes) if (await ports.ownPushes.has(name, digest)) own.set(digest, await overOf(digest));
  const looked: EvidencePush[] = [];
  const found = new Map<PieceId, Descriptor>();
  for (const [at, push] of pushes.entries()) {
    if (own.has(push.digest)) continue;
    const next = pushes[at + 1];
    if (next) looked.push(push);
    const by = next ? writtenOver(push, next) : await writtenOverSince(push);
    if (by === undefined) continue;
    for (const piece of await added(push.digest, own.get(by) ?? (await overOf(by)))) {
      found.set(listedId(list, piece), piece);
    }
  }
  for (const piece of current.pieces) found.delete(listedId(list, piece));
  // What a list of ours named was not unseen: where it is gone, it is ours and replaced, or others took it off.
  for (const digest of found.size > 0 ? await ownLists() : []) {
    for (const piece of (await readList(source, list, digest, signal))?.pieces ?? []) {
      found.delete(listedId(list, piece));
    }
  }
  return { pieces: [...found.values()], looked };

  function overOf(digest: Digest): Promise<Digest | 'nothing' | undefined> {
    return ports.ownPushes.over(name, digest);
  }

  /** Our list that came next and was made from another one. */
  function writtenOver(push: EvidencePush, next: EvidencePush): Digest | undefined {
    return own.has(next.digest) && own.get(next.digest) !== push.digest ? next.digest : undefined;
  }

  /** The same where the registry has not told of the next one yet: from the present list back. */
  async function writtenOverSince(push: EvidencePush): Promise<Digest | undefined> {
    let { digest } = current;
    let later: Digest | undefined;
    for (let step = 0; digest !== undefined && digest !== push.digest && step < MAX_STEPS; step++) {
      // One that was told of before is the one only where the two were told in the wrong order.
      if (own.has(digest)) return later ?? digest;
      const over = await overOf(digest);
      if (over === undefined) return later;
      if (over === 'nothing') return digest;
      later = digest;
      digest = over;
    }
    return undefined;
  }

  /** Those that the registry told of, and those from the present one back. */
  async function ownLists(): Promise<readonly Digest[]> {
    const lists = new Set(own.keys());
    let { digest } = current;
    for (let step = 0; digest !== undefined && step < MAX_STEPS; step++) {
      const over = await overOf(digest);
      if (over === undefined) break;
      lists.add(digest);
      digest = over === 'nothing' ? undefined : over;
    }
    return [...lists];
  }

  /** What one list names and the one before it did not; nothing where one of them cannot be read any more. */
  async function added(digest: Digest, over: Digest | 'nothing' | undefined): Promise<readonly Descriptor[]> {
    if (over === undefined) return [];
    const after = await readList(source, list, digest, signal);
    const before = over === 'nothing' ? { pieces: [] } : await readList(source, list, over, signal);
    if (!after || !before) return [];
    const known = new Set(before.pieces.map((piece) => listedId(list, piece)));
    return after.pieces.filter((piece) => !known.has(listedId(list, piece)));
  }
}
