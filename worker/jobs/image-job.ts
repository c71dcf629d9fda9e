import { attestJob } from '#jobs/attest-job.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import { type JobReport, jobChannel } from '#jobs/job-report.ts';
import { ledgerImage } from '#jobs/observe.ts';
import { verifyJob } from '#jobs/verify-job.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { ImageJob, Lane } from '#model/job.ts';
import { chooseRule, type RuleMiss } from '#model/rule.ts';

/**
 * One image job: the first rule that matches says what happens. Nothing is signed that no rule names, since whoever can
 * push must not thereby get our signature.
 */
export async function runImageJob(lane: Lane, job: ImageJob, ports: JobPorts, context: JobContext): Promise<JobReport> {
  const registry = ports.engine.registries.nameOf(job.image.registry);
  const image: ImageRef = { ...withoutUndefined(job.image), registry };
  const { rule, missed } = chooseRule(ports.installation.rules, image);
  const report = rule
    ? await runUnder(job, image, ports.installation.armed(rule), ports, context)
    : await withoutRule(image, missed, ports);
  jobChannel.publish({ lane, job, report, finishedAt: ports.now() });
  return report;
}

/** An image that a rule once named is watched no more. */
async function withoutRule(image: ImageRef, missed: readonly RuleMiss[], ports: JobPorts): Promise<JobReport> {
  if (image.digest) await ports.ledger.forget(ledgerImage(image, image.digest), ports.now());
  return { outcome: 'no-rule', missed };
}

async function runUnder(
  job: ImageJob,
  image: ImageRef,
  armed: ReturnType<JobPorts['installation']['armed']>,
  ports: JobPorts,
  context: JobContext,
): Promise<JobReport> {
  switch (job.kind) {
    case 'attest':
      return attestJob(job, image, armed, ports, context);
    case 'verify':
      return verifyJob(job, image, armed, ports, context);
  }
}

function withoutUndefined({ registry, repository, tag, digest }: ImageJob['image']): ImageRef {
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}
