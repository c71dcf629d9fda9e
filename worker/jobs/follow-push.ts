import { presentDigest, settleTag } from '#jobs/follow-tag.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { JobReport } from '#jobs/job-report.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { type Announcement, announcementOf, type ImageJob, JOB_VERSION } from '#model/job.ts';

/** A registry tells of a push before it moves the tag: a tag that names something else is looked at once more. */
const LOOK_AGAIN_MS = 3000;
/** Tags of one push that are followed; the others are found by their own pushes, or by a sweep. */
const MOST_TAGS = 20;

/**
 * Once an image has what it shall have: what its tags name now, and what they took from the images before. That a tag
 * went on meanwhile never costs the image that was pushed its evidence; it is recorded.
 */
export async function followPushedTags(
  job: ImageJob,
  announced: readonly Announcement[],
  reports: readonly JobReport[],
  ports: JobPorts,
  context: JobContext,
): Promise<void> {
  const digest = reports.map((report) => (report.outcome === 'done' ? report.digest : undefined)).find(Boolean);
  if (digest === undefined) return;
  const proven = new Map<string, boolean>();
  for (const { tag, unproven } of [announcementOf(job), ...announced]) {
    if (tag !== undefined) proven.set(tag, proven.get(tag) === true || !unproven);
  }
  for (const [tag, isProven] of [...proven].slice(0, MOST_TAGS)) {
    // What only a stranger says that the image had, it cannot lose.
    if ((await isFollowed(job, tag, digest, ports, context)) || !isProven) continue;
    const { registry, repository } = job.image;
    const look: ImageJob = { ...job, v: JOB_VERSION, kind: 'look', image: { registry, repository, tag, digest } };
    await ports.enqueue(look, { delayMs: LOOK_AGAIN_MS });
  }
}

/** Whether the tag names the image; false too where that could not be found out. */
async function isFollowed(
  job: ImageJob,
  tag: string,
  digest: Digest,
  ports: JobPorts,
  { signal }: JobContext,
): Promise<boolean> {
  const registry = ports.engine.registries.nameOf(job.image.registry);
  const { repository } = job.image;
  try {
    const name = { registry, repository, tag };
    const now = await presentDigest(name, tag, ports, signal);
    if (now !== digest) return false;
    await settleTag(name, now, digest, { learnedBy: 'push', job }, ports, signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    // What was asked of the job is done: it must not be tried again for this.
    if (error instanceof AppError) return false;
    throw error;
  }
}
