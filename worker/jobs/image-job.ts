import { attestJob } from '#jobs/attest-job.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import { type JobReport, jobChannel } from '#jobs/job-report.ts';
import { verifyJob } from '#jobs/verify-job.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { ImageJob, Lane } from '#model/job.ts';
import { chooseRule } from '#model/rule.ts';

/**
 * One image job: the first rule that matches says what happens. Nothing is signed that no rule names, since whoever can
 * push must not thereby get our signature.
 */
export async function runImageJob(lane: Lane, job: ImageJob, ports: JobPorts, context: JobContext): Promise<JobReport> {
  const registry = ports.engine.registries.nameOf(job.image.registry);
  const image: ImageRef = { ...withoutUndefined(job.image), registry };
  const report = await runKind(job, image, ports, context);
  jobChannel.publish({ lane, job, report, finishedAt: ports.now() });
  return report;
}

async function runKind(job: ImageJob, image: ImageRef, ports: JobPorts, context: JobContext): Promise<JobReport> {
  switch (job.kind) {
    case 'attest': {
      const { rule, missed } = chooseRule(ports.installation.rules, image);
      if (!rule) return { outcome: 'no-rule', missed };
      return attestJob(job, image, ports.installation.armed(rule), ports, context);
    }
    case 'verify':
      return verifyJob(job, image, ports, context);
  }
}

function withoutUndefined({ registry, repository, tag, digest }: ImageJob['image']): ImageRef {
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}
