import { presentDigest } from '#jobs/follow-tag.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import { AppError } from '#model/errors.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import { type Announcement, announcementOf, type ImageJob } from '#model/job.ts';
import { chooseRule, type Rule, type RuleMiss, whenUnmet } from '#model/rule.ts';

/** The job under one rule, as announced in the way that the rule allows, if one of the announcements was. */
export interface AnnouncedRun {
  readonly rule: Rule;
  readonly image: ImageRef;
  readonly job: ImageJob;
  /** Whether the rule's `when` lets it be signed. */
  readonly allowed: boolean;
}

export interface AnnouncedRuns {
  readonly runs: readonly AnnouncedRun[];
  /** The rules that an announcement missed, where none was named. */
  readonly missed: readonly RuleMiss[];
  /** A claim that may still come true, to be thrown when all that is sure is done. */
  readonly unsettled?: AppError;
}

/** A registry tells of a push before it moves the tag, and replicas follow; after this a claim is taken for wrong. */
const TAG_SETTLES_WITHIN_MS = 60_000;

/**
 * The rules that the announcements of one image name, each once: several pushes of one digest are one job, and neither
 * the first nor the last of them may cost another one the signature that its rule allows.
 */
export async function announcedRuns(
  job: ImageJob,
  image: ImageRef,
  announced: readonly Announcement[],
  ports: JobPorts,
  context: JobContext,
): Promise<AnnouncedRuns> {
  const byRule = new Map<string, AnnouncedRun>();
  const missed: RuleMiss[] = [];
  let unsettled: AppError | undefined;
  for (const announcement of [announcementOf(job), ...announced]) {
    const tag = await provenTag(announcement, image, job, ports, context);
    if (tag instanceof AppError) {
      unsettled = tag;
      continue;
    }
    const run = runUnder(job, image, { ...announcement, tag }, ports);
    if ('missed' in run) missed.push(...(missed.length === 0 ? run.missed : []));
    else if (!byRule.get(run.rule.name)?.allowed) byRule.set(run.rule.name, run);
  }
  return { runs: [...byRule.values()], missed, ...(unsettled ? { unsettled } : {}) };
}

function runUnder(
  job: ImageJob,
  { registry, repository, digest }: ImageRef,
  { source, actor, tag }: Announcement,
  ports: JobPorts,
): AnnouncedRun | { readonly missed: readonly RuleMiss[] } {
  const tagged = tag === undefined ? {} : { tag };
  const named = { registry, repository, ...tagged, ...(digest === undefined ? {} : { digest }) };
  const { rule, missed } = chooseRule(ports.installation.rules, named);
  if (!rule) return { missed };
  const gate = { source, ...(actor === undefined ? {} : { actor }), ...tagged };
  const allowed = whenUnmet(rule.when, gate) === undefined;
  return { rule, image: named, job: { ...job, source, actor, image: named }, allowed };
}

/** The tag of an announcement; undefined when the registry says otherwise; a failure while it may still come true. */
export async function provenTag(
  { source, tag, unproven }: Announcement,
  image: ImageRef,
  job: Pick<ImageJob, 'receivedAt'>,
  ports: JobPorts,
  context: JobContext,
): Promise<string | undefined | AppError> {
  const { digest } = image;
  if (tag === undefined || digest === undefined || !unproven) return tag;
  const found = await presentDigest(image, tag, ports, context.signal);
  if (found === digest) return tag;
  if (ports.now().getTime() - Date.parse(job.receivedAt) >= TAG_SETTLES_WITHIN_MS) return undefined;
  const name = formatImageRef({ registry: image.registry, repository: image.repository, tag });
  return new AppError('not-found', `${name} names ${found ?? 'nothing'}, not ${digest} as ${source} said`);
}
