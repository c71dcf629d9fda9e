import type { BackfillChunk, BackfillMemory, BackfillProgress } from '#model/backfill.ts';
import type { Digest } from '#model/digest.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import { type ImageJob, JOB_VERSION } from '#model/job.ts';
import type { Ledger } from '#model/ledger.ts';
import type { Catalog } from '#oci/catalog/catalog.ts';
import type { JobQueues } from '#queue/queues.ts';
import { untilHours } from '#reconcile/backfill-hours.ts';

export interface PumpParts {
  readonly memory: BackfillMemory;
  readonly ledger: Pick<Ledger, 'latest'>;
  readonly queues: Pick<JobQueues, 'enqueueImage' | 'isWaiting' | 'counts'>;
  /** Undefined of a registry that is not configured any more. */
  catalog(registry: string): Pick<Catalog, 'digestOf'> | undefined;
  isWanted(image: ImageRef): boolean;
  now(): Date;
  traceparent(): string;
  /** Of this worker. */
  readonly token: string;
  readonly signal: AbortSignal;
}

/** Jobs of a backfill in the queue at a time: what it may take of Redis, whatever the number of images. */
export const WINDOW = 200;
/** Tags between two notes of how far it is: done again after a crash, which the queue and the ledger know. */
const STEP = 20;
const HOLD_MS = 30_000;

/**
 * Enqueues the next images of the backfill that runs, as many as fit in the window, and notes its end. Called often.
 * @throws AppError of the registry, of Redis; the next call goes on from the last note.
 */
export async function pumpBackfill(parts: PumpParts): Promise<void> {
  const { memory, signal, now } = parts;
  const backfill = await memory.current();
  if (backfill?.state !== 'running' || untilHours(backfill.hours, now()) > 0) return;
  if (!(await memory.hold(parts.token, HOLD_MS))) return;
  let { position } = backfill.progress;
  let room = WINDOW - (await outstanding(parts));
  let place = await placeOf(memory, backfill.id, position);
  while (room > 0 && place && !signal.aborted) {
    const tags = place.chunk.tags.slice(place.within, place.within + Math.min(STEP, room));
    const counts = await enqueueTags(place.chunk, tags, parts);
    // Done by another worker while this one was slow: it is that one's now.
    if (!(await memory.advance(backfill.id, position, counts))) return;
    position += counts.position;
    room -= counts.enqueued;
    place = await placeOf(memory, backfill.id, position, place);
    // Another one's turn, or paused meanwhile.
    if (!(await memory.hold(parts.token, HOLD_MS)) || (await memory.current())?.state !== 'running') return;
  }
  if (place || position < backfill.images || (await outstanding(parts)) > 0) return;
  await memory.change(backfill.id, ['running'], { state: 'done', endedAt: now().toISOString() });
}

async function outstanding({ queues }: PumpParts): Promise<number> {
  const lane = (await queues.counts()).find((counts) => counts.lane === 'backfill');
  return lane ? lane.waiting + lane.active + lane.delayed : 0;
}

interface Place {
  readonly chunk: BackfillChunk;
  /** Its number in the plan. */
  readonly at: number;
  /** Tags of the plan before it. */
  readonly before: number;
  readonly within: number;
}

/** Where a position lies. Chunks differ in size: found from the last place, or from the start. */
async function placeOf(memory: BackfillMemory, id: string, position: number, from?: Place): Promise<Place | undefined> {
  let at = from?.at ?? 0;
  let before = from?.before ?? 0;
  let chunk = from?.chunk ?? (await memory.chunk(id, 0));
  while (chunk && before + chunk.tags.length <= position) {
    before += chunk.tags.length;
    at += 1;
    chunk = await memory.chunk(id, at);
  }
  return chunk && { chunk, at, before, within: position - before };
}

type StepCounts = Pick<BackfillProgress, 'position' | 'enqueued' | 'covered' | 'gone'>;

async function enqueueTags(
  { registry, repository }: BackfillChunk,
  tags: BackfillChunk['tags'],
  parts: PumpParts,
): Promise<StepCounts> {
  const ends = await Promise.all(
    tags.map(([tag, listed]) => enqueueTag({ registry, repository, tag }, listed as Digest | undefined, parts)),
  );
  const of = (end: TagEnd) => ends.filter((each) => each === end).length;
  return { position: tags.length, enqueued: of('enqueued'), covered: of('covered'), gone: of('gone') };
}

type TagEnd = 'enqueued' | 'covered' | 'gone';

async function enqueueTag(
  image: ImageRef & { readonly tag: string },
  listed: Digest | undefined,
  parts: PumpParts,
): Promise<TagEnd> {
  const catalog = parts.catalog(image.registry);
  // The configuration may have changed since the plan.
  if (!catalog || !parts.isWanted(image)) return 'gone';
  const digest = listed ?? (await catalog.digestOf(image.repository, image.tag, undefined, parts.signal));
  if (digest === undefined) return 'gone';
  const job: ImageJob = {
    v: JOB_VERSION,
    kind: 'attest',
    image: { ...image, digest },
    source: 'backfill',
    cause: 'backfill',
    traceparent: parts.traceparent(),
    receivedAt: parts.now().toISOString(),
  };
  if (await isJudged({ ...image, digest }, parts)) return 'covered';
  if (await parts.queues.isWaiting('push', job)) return 'covered';
  const { state } = await parts.queues.enqueueImage('backfill', job);
  return state === 'queued' ? 'enqueued' : 'covered';
}

/** Whether the image was judged under this name: another tag may have another rule. */
async function isJudged(image: ImageRef, { ledger }: PumpParts): Promise<boolean> {
  const { tag, ...byDigest } = image;
  const states = await ledger.latest(formatImageRef(byDigest));
  const named = `${image.registry}/${image.repository}:${tag}`;
  return states.some(({ verdict, couldNotCheck }) => {
    const judged = (verdict ?? couldNotCheck?.verdict)?.image;
    return judged === named || judged?.startsWith(`${named}@`) === true;
  });
}
