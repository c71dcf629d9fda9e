import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { formatImageRef, type ImageRef, type RepositoryRef } from '#model/image-ref.ts';
import { type ImageJob, JOB_VERSION } from '#model/job.ts';
import type { Ledger } from '#model/ledger.ts';
import type { SweepMemory, SweptTag } from '#model/sweep.ts';
import type { Catalog } from '#oci/catalog/catalog.ts';

export interface RepositorySweepParts {
  readonly catalog: Pick<Catalog, 'tags' | 'digestOf'>;
  readonly memory: Pick<SweepMemory, 'tags' | 'note' | 'forget'>;
  readonly ledger: Pick<Ledger, 'latest'>;
  enqueue(job: ImageJob): Promise<unknown>;
  /** Whether a rule names the image: of others nothing is wanted. */
  isWanted(image: ImageRef): boolean;
  /** Whether a tag is that of evidence. */
  isEvidenceTag(tag: string): boolean;
  now(): Date;
  traceparent(): string;
  /** Nothing is enqueued, noted or forgotten. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** What was found; the numbers of a sweep are those of its repositories. */
export interface SweepCount {
  tags: number;
  /** Requests for what a tag names. */
  looks: number;
  /** Images of which no push was heard. */
  gaps: number;
  /** Gaps that wait for the next sweep. */
  left: number;
  /** Tags that are not there any more. */
  vanished: number;
}

/** More are no tags of images; what a registry makes up must end. */
const MAX_TAGS = 100_000;
/** A job that told nothing to the ledger in that time is enqueued again: it may have been dropped by hand. */
const ASK_AGAIN_MS = 24 * 3_600_000;

/** Compares what one repository holds with what is known, and enqueues what is missing. */
export async function sweepRepository(
  repository: RepositoryRef,
  parts: RepositorySweepParts,
  count: SweepCount,
  most: number,
): Promise<void> {
  const { catalog, memory, signal } = parts;
  const remembered = await memory.tags(repository);
  const present = new Set<string>();
  let read = 0;
  for await (const { tag, digest: listed } of catalog.tags(repository.repository, signal)) {
    signal.throwIfAborted();
    read += 1;
    if (read > MAX_TAGS) break;
    if (present.has(tag) || parts.isEvidenceTag(tag) || !parts.isWanted({ ...repository, tag })) continue;
    count.tags += 1;
    const known = remembered.get(tag);
    if (listed === undefined) count.looks += 1;
    const digest = listed ?? (await catalog.digestOf(repository.repository, tag, known?.digest, signal));
    // Taken away between the list and the look.
    if (digest === undefined) continue;
    present.add(tag);
    if (await isCovered({ ...repository, tag, digest }, known, parts)) {
      if (!parts.dryRun && known?.digest !== digest)
        await memory.note(repository, tag, { digest, enqueuedAt: parts.now() });
    } else if (count.gaps >= most) count.left += 1;
    else {
      count.gaps += 1;
      if (!parts.dryRun) await enqueueGap({ ...repository, tag, digest }, parts);
    }
  }
  // A list that was cut short tells nothing of what is not on it.
  if (read > MAX_TAGS) {
    throw new AppError(
      'too-large',
      `${repository.repository} has more than ${MAX_TAGS} tags: the others were not swept`,
    );
  }
  for (const [tag, { digest }] of remembered)
    if (!present.has(tag)) await vanish(repository, tag, digest, parts, count);
}

type Named = RepositoryRef & { readonly tag: string; readonly digest: Digest };

async function isCovered(
  { tag, digest, ...repository }: Named,
  known: SweptTag | undefined,
  { ledger, now }: RepositorySweepParts,
): Promise<boolean> {
  const states = await ledger.latest(formatImageRef({ ...repository, digest }));
  if (known?.digest === digest) {
    return states.length > 0 || now().getTime() - known.enqueuedAt.getTime() < ASK_AGAIN_MS;
  }
  // Another tag may have another rule, so that the digest alone is not enough.
  const named = `${repository.registry}/${repository.repository}:${tag}`;
  return states.some(({ verdict, couldNotCheck }) => {
    const judged = (verdict ?? couldNotCheck?.verdict)?.image;
    return judged === named || judged?.startsWith(`${named}@`) === true;
  });
}

async function enqueueGap(image: Named, parts: RepositorySweepParts): Promise<void> {
  const { tag, digest, ...repository } = image;
  await parts.enqueue(sweptJob('attest', image, parts));
  // After it: a sweep that stops in between enqueues it again, and the queue knows it then.
  await parts.memory.note(repository, tag, { digest, enqueuedAt: parts.now() });
}

/** The registry is asked once more, and what it says is recorded: whether the image still is there, and its tag. */
async function vanish(
  repository: RepositoryRef,
  tag: string,
  digest: Digest,
  parts: RepositorySweepParts,
  count: SweepCount,
): Promise<void> {
  count.vanished += 1;
  if (parts.dryRun) return;
  await parts.enqueue(sweptJob('look', { ...repository, tag, digest }, parts));
  await parts.memory.forget(repository, tag);
}

function sweptJob(kind: 'attest' | 'look', image: Named, { traceparent, now }: RepositorySweepParts): ImageJob {
  const receivedAt = now().toISOString();
  return { v: JOB_VERSION, kind, image, source: 'sweep', cause: 'sweep', traceparent: traceparent(), receivedAt };
}
