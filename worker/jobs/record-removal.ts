import { imageRemoved } from '#events/removal-events.ts';
import { alertResolved } from '#events/verdict-events.ts';
import type { JobPorts } from '#jobs/job-ports.ts';
import { judgedTag } from '#jobs/known-names.ts';
import { ledgerImage } from '#jobs/observe.ts';
import type { Digest } from '#model/digest.ts';
import { formatRepositoryRef, type ImageRef } from '#model/image-ref.ts';
import type { ImageJob } from '#model/job.ts';
import type { StateRecord } from '#model/ledger.ts';
import type { LearnedBy, Removal } from '#model/removal.ts';

/** How something was learned to be gone. */
export interface Learned {
  readonly learnedBy: LearnedBy;
  /** The job in question: its source and actor. */
  readonly job: Pick<ImageJob, 'source' | 'actor' | 'unproven' | 'traceparent' | 'receivedAt'>;
}

/** What job ports a record needs. */
type RecordPorts = Pick<JobPorts, 'ledger' | 'outbox' | 'tagNames' | 'installation' | 'now'>;

/** A tag does not name a known image any more. The image stays watched: pods name digests, and those run on. */
export async function recordUntagged(
  image: ImageRef & { readonly tag: string; readonly digest: Digest },
  movedTo: Digest | undefined,
  learned: Learned,
  ports: RecordPorts,
): Promise<readonly Removal[]> {
  const name = ledgerImage(image, image.digest);
  const removal = removalOf({ kind: 'untagged', tag: image.tag, ...(movedTo ? { movedTo } : {}) }, learned, ports);
  const known = (await ports.ledger.removals(name)).some(({ tag }) => tag === image.tag);
  if (known) return [];
  return await note(name, removal, learned, ports);
}

/**
 * A known image is gone: that is told and recorded, its alerts end, and nobody checks it any more. By the word of an open
 * door it is only checked at once; as missing it is forgotten when it was missing long enough.
 */
export async function recordDeleted(
  image: ImageRef & { readonly digest: Digest },
  learned: Learned,
  ports: RecordPorts,
): Promise<readonly Removal[]> {
  const name = ledgerImage(image, image.digest);
  const states = await ports.ledger.latest(name);
  const known = (await ports.ledger.removals(name)).some(({ kind }) => kind === 'deleted');
  if (states.length === 0 && !(await wasNamed(image, ports))) return [];
  if (learned.job.unproven) {
    await ports.ledger.makeDue({ image: name }, ports.now());
    return [];
  }
  // Told first: once it is forgotten nobody knows any more that there was an alert.
  for (const { policyUri, verdict } of states) {
    if (verdict?.outcome !== 'fail') continue;
    const ended = alertResolved({ image: name, policyUri }, { source: ports.installation.source, now: ports.now() });
    await ports.outbox.append(name, ended);
  }
  const removals = known ? [] : await note(name, removalOf({ kind: 'deleted' }, learned, ports), learned, ports);
  await ports.ledger.forget(name, ports.now());
  const place = formatRepositoryRef(image);
  for (const tag of tagsOf(image, states)) await ports.tagNames.drop(place, tag, image.digest);
  return removals;
}

function tagsOf(image: ImageRef, states: readonly StateRecord[]): ReadonlySet<string> {
  const tags = [image.tag, ...states.map((state) => judgedTag(state, image))];
  return new Set(tags.filter((tag) => tag !== undefined));
}

async function wasNamed(image: ImageRef & { readonly digest: Digest }, ports: RecordPorts): Promise<boolean> {
  if (image.tag === undefined) return false;
  return (await ports.tagNames.named(formatRepositoryRef(image), image.tag))?.digest === image.digest;
}

function removalOf(
  what: Pick<Removal, 'kind' | 'tag' | 'movedTo'>,
  { learnedBy, job }: Learned,
  ports: RecordPorts,
): Removal {
  const actor = job.actor === undefined ? {} : { actor: job.actor };
  return { ...what, at: ports.now().toISOString(), learnedBy, source: job.source, ...actor };
}

async function note(
  name: string,
  removal: Removal,
  { job: { traceparent } }: Learned,
  ports: RecordPorts,
): Promise<readonly Removal[]> {
  const context = { source: ports.installation.source, now: ports.now(), traceparent };
  // Told and then recorded: a run that stops in between tells it twice, and never not.
  await ports.outbox.append(name, imageRemoved(name, removal, context));
  await ports.ledger.noteRemoval(name, removal);
  return [removal];
}
