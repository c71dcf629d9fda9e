import { followDigest, followTag, presentDigest, settleTag } from '#jobs/follow-tag.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { JobReport } from '#jobs/job-report.ts';
import { ledgerImage } from '#jobs/observe.ts';
import type { Learned } from '#jobs/record-removal.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { evidenceSubject } from '#model/evidence-tag.ts';
import { formatImageRef, formatRepositoryRef, type ImageRef, type RepositoryRef } from '#model/image-ref.ts';
import { type ImageJob, JOB_VERSION } from '#model/job.ts';
import type { Removal } from '#model/removal.ts';

/** Senders tell of a change before it can be seen, and replicas follow; after this the registry is believed. */
const SETTLES_WITHIN_MS = 60_000;
const LOOK_AGAIN_MS = 5000;

/**
 * Asks the registry whether what somebody says was removed is gone, or what a tag names since a push; what it says is
 * recorded. What was evidence of known images is a reason to check these at once.
 * @throws AppError `change-awaited` while it may still come, and those of the registry and of Redis.
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
    const now = await presentDigest(image, tag ?? digest ?? '', ports, signal);
    if (now === undefined) await checkSubjects(job, image, subject, ports);
    else awaitChange(job, image, ` is still there, though ${job.source} says it was removed`, ports);
    return { outcome: 'looked', removals: [] };
  }
  const learned = { learnedBy: learnedBy(job), job };
  if (job.cause !== 'removed' && tag !== undefined) {
    return { outcome: 'looked', removals: await followMove(job, { ...image, tag }, learned, ports, signal) };
  }
  const { gone, removals } = await followBoth(image, learned, ports, signal);
  if (!gone) awaitChange(job, image, ` is still there, though ${job.source} says it was removed`, ports);
  return { outcome: 'looked', removals };
}

/**
 * A tag that names what it named before the push has not moved yet, or was moved back since. One that was moved by a
 * later push has gone on.
 */
async function followMove(
  job: ImageJob,
  image: ImageRef & { readonly tag: string },
  learned: Learned,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<readonly Removal[]> {
  const { tag, digest } = image;
  const now = await presentDigest(image, tag, ports, signal);
  const before = await ports.tagNames.named(formatRepositoryRef(image), tag);
  const isNews = before !== undefined && before.at > new Date(job.receivedAt);
  const isOld = now !== digest && now === before?.digest && !isNews;
  if (isOld && job.cause !== 'sweep') awaitChange(job, image, `: the tag names ${now ?? 'nothing'} still`, ports);
  return await settleTag(image, now, digest, learned, ports, signal);
}

async function followBoth(image: ImageRef, learned: Learned, ports: JobPorts, signal: AbortSignal) {
  const { tag, digest } = image;
  // That a digest had a tag is no stranger's to say.
  const claimed = learned.job.unproven ? undefined : digest;
  const followed = tag === undefined ? undefined : await followTag({ ...image, tag }, claimed, learned, ports, signal);
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

function awaitChange({ receivedAt }: ImageJob, image: ImageRef, why: string, { now }: JobPorts): void {
  if (now().getTime() - Date.parse(receivedAt) >= SETTLES_WITHIN_MS) return;
  throw new AppError('change-awaited', `${formatImageRef(image)}${why}`, { retryAfterMs: LOOK_AGAIN_MS });
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
