import type { ArmedRule } from '#jobs/installation.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { JobReport } from '#jobs/job-report.ts';
import { observeImage } from '#jobs/observe.ts';
import { createStopwatch } from '#jobs/stopwatch.ts';
import { AppError } from '#model/errors.ts';
import type { ImageRef } from '#model/image-ref.ts';
import { type ImageJob, JOB_VERSION } from '#model/job.ts';

/**
 * Judges a known image again. Where its evidence lapsed and the rule says so, a job to restore it is enqueued once the
 * lapse stands in the ledger and in the outbox.
 */
export async function verifyJob(
  job: ImageJob,
  image: ImageRef,
  armed: ArmedRule,
  ports: JobPorts,
  context: JobContext,
): Promise<JobReport> {
  const { digest } = image;
  if (digest === undefined) throw new AppError('internal', 'a verify job names its image by digest');
  const watch = createStopwatch(ports.now);
  const { verdicts, transitions } = await watch.time('verify', () =>
    observeImage(image, digest, armed, ports, context),
  );
  const lapsed = verdicts.some(({ outcome }) => outcome === 'fail');
  if (lapsed && armed.rule.onLapse === 'attest') await ports.enqueue(restoreJob(job));
  return {
    outcome: 'done',
    rule: armed.rule.name,
    digest,
    evidence: [],
    packages: new Map(),
    verdicts,
    transitions,
    took: watch.took(),
  };
}

function restoreJob({ image, source, traceparent, receivedAt }: ImageJob): ImageJob {
  return { v: JOB_VERSION, kind: 'attest', image, source, cause: 'lapse', traceparent, receivedAt };
}
