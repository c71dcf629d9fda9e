import { followDigest, followTag, presentDigest } from '#jobs/follow-tag.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { JobReport } from '#jobs/job-report.ts';
import { ledgerImage } from '#jobs/observe.ts';
import type { Learned } from '#jobs/record-removal.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { evidenceSubject } from '#model/evidence-tag.ts';
import { formatImageRef, type ImageRef, type RepositoryRef } from '#model/image-ref.ts';
import { type ImageJob, JOB_VERSION } from '#model/job.ts';

/** Senders tell of a removal before it can be seen, and replicas follow; after this the claim is taken for wrong. */
const SETTLES_WITHIN_MS = 60_000;
const LOOK_AGAIN_MS = 10_000;

/**
 * Asks the registry whether what somebody says was removed is gone; only then is anything recorded. What was evidence of
 * known images is a reason to check these at once.
 * @throws AppError `removal-awaited` while it may still go, and those of the registry and of Redis.
 */
export async function lookJob(
  job: ImageJob,
  image: ImageRef,
  ports: JobPorts,
  { signal }: JobContext,
): Promise<JobReport> {
  const { tag, digest } = image;
  if (tag === undefined && digest === undefined) {
    throw new AppError('job-malformed', 'a job that looks names neither tag nor digest', { field: 'image' });
  }
  const subject = await subjectOfEvidence(image, ports);
  if (subject !== undefined) {
    if ((await presentDigest(image, tag ?? digest ?? '', ports, signal)) !== undefined) awaitRemoval(job, image, ports);
    else await checkSubjects(job, image, subject, ports);
    return { outcome: 'looked', removals: [] };
  }
  const learned = { learnedBy: learnedBy(job), job };
  const { gone, removals } = await followBoth(image, learned, ports, signal);
  if (!gone) awaitRemoval(job, image, ports);
  return { outcome: 'looked', removals };
}

async function followBoth(image: ImageRef, learned: Learned, ports: JobPorts, signal: AbortSignal) {
  const { tag, digest } = image;
  const followed = tag === undefined ? undefined : await followTag({ ...image, tag }, digest, learned, ports, signal);
  const removals = [...(followed?.removals ?? [])];
  const tagGone = followed !== undefined && (followed.now === undefined || removals.length > 0);
  if (digest === undefined) return { gone: tagGone, removals };
  // A tag that went on to another image says nothing of the image that it left.
  const { now, removals: deleted } = await followDigest({ ...image, digest }, learned, ports, signal);
  return { gone: tagGone || now === undefined, removals: [...removals, ...deleted] };
}

function learnedBy({ cause }: ImageJob): Learned['learnedBy'] {
  if (cause === 'removed') return 'event';
  return cause === 'sweep' ? 'sweep' : 'push';
}

/** Who only asks what became of a tag has the answer; a sender that tells of a removal may be ahead of it. */
function awaitRemoval({ cause, receivedAt, source }: ImageJob, image: ImageRef, { now }: JobPorts): void {
  if (cause !== 'removed' || now().getTime() - Date.parse(receivedAt) >= SETTLES_WITHIN_MS) return;
  throw new AppError(
    'removal-awaited',
    `${formatImageRef(image)} is still there, though ${source} says it was removed`,
    {
      retryAfterMs: LOOK_AGAIN_MS,
    },
  );
}

/** The image that the removed thing was evidence of; undefined when it was none, as far as is known. */
async function subjectOfEvidence(image: ImageRef, { referrers }: JobPorts): Promise<Digest | undefined> {
  const { tag, digest } = image;
  const byTag = tag === undefined ? undefined : evidenceSubject(tag);
  if (byTag !== undefined || digest === undefined) return byTag;
  return await referrers.subjectOf(image, digest);
}

/** Evidence may be kept in a repository of its own: the images that it is about are wherever their digest was seen. */
async function checkSubjects(
  { source, traceparent, receivedAt }: ImageJob,
  { registry, repository }: RepositoryRef,
  digest: Digest,
  ports: JobPorts,
): Promise<void> {
  const places = (await ports.engine.seen?.places(digest)) ?? [];
  const all = new Map([{ registry, repository }, ...places].map((place) => [formatImageRef(place), place]));
  for (const place of all.values()) {
    if ((await ports.ledger.latest(ledgerImage(place, digest))).length === 0) continue;
    await ports.enqueue({
      v: JOB_VERSION,
      kind: 'verify',
      image: { ...place, digest },
      source,
      cause: 'evidence-deleted',
      traceparent,
      receivedAt,
    });
  }
}
