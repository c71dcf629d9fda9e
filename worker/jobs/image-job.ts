import { announcedRuns } from '#jobs/announced.ts';
import { attestJob } from '#jobs/attest-job.ts';
import { followPushedTags } from '#jobs/follow-push.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import { type JobReport, jobChannel } from '#jobs/job-report.ts';
import { lookJob } from '#jobs/look-job.ts';
import { mendJob } from '#jobs/mend-job.ts';
import { signJob } from '#jobs/sign-job.ts';
import { verifyJob } from '#jobs/verify-job.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { Announcement, ImageJob, Lane } from '#model/job.ts';

/**
 * One image job: the first rule that matches says what happens. Nothing is signed that no rule names, since whoever can
 * push must not thereby get our signature. `announced` are the announcements beside that of the payload; where they name
 * several rules, there is a report for each.
 */
export async function runImageJob(
  lane: Lane,
  job: ImageJob,
  announced: readonly Announcement[],
  ports: JobPorts,
  context: JobContext,
): Promise<readonly JobReport[]> {
  const registry = ports.engine.registries.nameOf(job.image.registry);
  const image: ImageRef = { ...withoutUndefined(job.image), registry };
  // The list that this worker holds may be older than the news.
  if (job.cause === 'certificate-revoked') ports.engine.revocation?.renew(new Date(job.receivedAt));
  const reports: JobReport[] = [];
  const finish = (under: ImageJob, report: JobReport) => {
    reports.push(report);
    jobChannel.publish({ lane, job: under, report, finishedAt: ports.now() });
  };
  switch (job.kind) {
    case 'attest': {
      const { runs, missed, unsettled } = await announcedRuns(job, image, announced, ports, context);
      let failure: unknown = unsettled;
      for (const run of runs) {
        try {
          finish(run.job, await attestJob(run.job, run.image, ports.installation.armed(run.rule), ports, context));
        } catch (error) {
          // What one rule wants and cannot get must not cost the image what another one gives it.
          failure = error;
        }
        context.signal.throwIfAborted();
      }
      await followPushedTags(job, announced, reports, ports, context);
      if (failure !== undefined) throw failure;
      if (runs.length === 0) finish(job, { outcome: 'no-rule', missed });
      break;
    }
    case 'verify':
      finish(job, await verifyJob(job, image, ports, context));
      break;
    case 'mend':
      finish(job, await mendJob(job, image, ports, context));
      break;
    case 'look':
      finish(job, await lookJob(job, image, ports, context));
      break;
    case 'sign':
      for (const report of await signJob(job, image, ports, context)) finish(job, report);
  }
  return reports;
}

function withoutUndefined({ registry, repository, tag, digest }: ImageJob['image']): ImageRef {
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}
