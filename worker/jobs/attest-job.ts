import { type AttestReport, attestImage } from '#engine/attest.ts';
import { resolveSubject } from '#engine/resolve.ts';
import { evidenceAttached, evidenceLost, evidenceRestored, signingRefused } from '#events/work-events.ts';
import type { ArmedRule } from '#jobs/installation.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { DoneReport, JobReport } from '#jobs/job-report.ts';
import { ledgerImage, observeImage } from '#jobs/observe.ts';
import { createStopwatch } from '#jobs/stopwatch.ts';
import { AppError } from '#model/errors.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { ImageJob } from '#model/job.ts';
import { whenUnmet } from '#model/rule.ts';
import type { SigningRefusal } from '#model/signing-refusal.ts';
import type { Subject } from '#model/subject.ts';

/**
 * Gives a pushed image what its rule names, then judges it. A known image is judged first: what lapsed is recorded and
 * told before anything is mended. A manifest that is no image is no failure: registries announce those too.
 */
export async function attestJob(
  job: ImageJob,
  image: ImageRef,
  armed: ArmedRule,
  ports: JobPorts,
  context: JobContext,
): Promise<JobReport> {
  const watch = createStopwatch(ports.now);
  const subject = await watch.time('resolve', () => resolveOrSkip(image, ports, context));
  if (subject instanceof AppError) return { outcome: 'not-an-image', why: subject.message };
  const { digest } = subject.image;
  const pinned = { ...image, digest };
  const known = (await ports.ledger.latest(ledgerImage(image, digest))).length > 0;
  const before = known
    ? await watch.time('look', () => observeImage(pinned, digest, armed.policies, ports, context))
    : undefined;
  const refused = whenUnmet(armed.rule.when, gateOf(job));
  const report = await watch.time('attest', () =>
    attestImage(
      {
        subject,
        wishes: armed.wishes,
        maySign: refused === undefined,
        mayRestore: armed.rule.onLapse === 'attest',
        force: job.force === true,
        signal: context.signal,
      },
      ports.engine,
    ),
  );
  await tell(job, report, armed, refused, ports);
  const after = await watch.time('verify', () => observeImage(pinned, digest, armed.policies, ports, context));
  return done({
    rule: armed.rule.name,
    digest,
    evidence: report.evidence,
    packages: report.packages,
    times: report.times,
    ...(refusedAnything(report) && refused !== undefined ? { refused } : {}),
    verdicts: after.verdicts,
    transitions: [...(before?.transitions ?? []), ...after.transitions],
    took: watch.took(),
  });
}

async function resolveOrSkip(image: ImageRef, ports: JobPorts, context: JobContext): Promise<Subject | AppError> {
  try {
    return await resolveSubject(ports.engine.registries.target(image.registry), image, context.signal);
  } catch (error) {
    const skips = ['not-an-image', 'media-type-unsupported'];
    if (error instanceof AppError && skips.includes(error.code)) return error;
    throw error;
  }
}

/** What `when` is held against. */
function gateOf({ source, actor, image }: ImageJob) {
  return {
    source,
    ...(actor === undefined ? {} : { actor }),
    ...(image.tag === undefined ? {} : { tag: image.tag }),
  };
}

async function tell(
  job: ImageJob,
  report: AttestReport,
  armed: ArmedRule,
  refused: SigningRefusal | undefined,
  ports: JobPorts,
): Promise<void> {
  const name = ledgerImage(report.subject.image, report.subject.image.digest);
  const context = { image: name, rule: armed.rule.name, source: ports.installation.source, job, now: ports.now() };
  const made = report.evidence.filter(({ state }) => state === 'created' || state === 'replaced');
  if (made.length > 0) await ports.outbox.append(name, evidenceAttached(context, made));
  const restored = report.evidence.filter(({ state }) => state === 'restored');
  if (restored.length > 0) {
    await ports.outbox.append(name, evidenceLost(context, restored));
    await ports.outbox.append(name, evidenceRestored(context, restored));
  }
  // A lapse is nobody's push: that its image may not be signed was told when it was pushed.
  if (refused !== undefined && refusedAnything(report) && job.cause !== 'lapse') {
    await ports.outbox.append(name, signingRefused(context, refused));
  }
}

function refusedAnything(report: AttestReport): boolean {
  return report.evidence.some(({ state }) => state === 'refused');
}

function done(report: Omit<DoneReport, 'outcome'>): DoneReport {
  return { outcome: 'done', ...report };
}
