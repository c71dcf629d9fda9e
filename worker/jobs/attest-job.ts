import { attestImage } from '#engine/attest.ts';
import { resolveSubject } from '#engine/resolve.ts';
import type { SettledEvidence } from '#engine/settle.ts';
import { signingRefused } from '#events/work-events.ts';
import { askGate } from '#jobs/gate.ts';
import type { ArmedRule } from '#jobs/installation.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { JobReport } from '#jobs/job-report.ts';
import { ledgerImage, observeImage } from '#jobs/observe.ts';
import { recordedWishes } from '#jobs/recorded-wishes.ts';
import { createStopwatch } from '#jobs/stopwatch.ts';
import { settleSummaries } from '#jobs/summaries.ts';
import { tellCopied, tellEvidence, tellRefusedImports } from '#jobs/told.ts';
import { AppError } from '#model/errors.ts';
import type { SignedFor } from '#model/evidence.ts';
import { isMadeType } from '#model/evidence-type.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { ImageJob } from '#model/job.ts';
import type { Subject } from '#model/subject.ts';

/**
 * Gives a pushed image what its rule names, then judges it, and signs what the verdicts say where the rule wants that. A
 * known image is judged first: what lapsed is recorded and told before anything is mended. A manifest that is no image is
 * no failure: registries announce those too.
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
  const gate = await watch.time('gate', () => askGate(armed, subject, gateOf(job), ports, context));
  const { refused } = gate;
  const name = ledgerImage(subject.image, digest);
  const told = { image: name, rule: armed.rule.name, source: ports.installation.source, job };
  const known = (await ports.ledger.latest(ledgerImage(image, digest))).length > 0;
  const before = known
    ? await watch.time('look', () => observeImage(pinned, digest, armed.policies, ports, context))
    : undefined;
  const report = await watch.time('attest', async () =>
    attestImage(
      {
        subject,
        wishes: [...armed.wishes, ...(await recordedWishes(subject, armed.handedIn, ports))],
        maySign: refused === undefined,
        mayRestore: armed.rule.onLapse === 'attest' && gate.builderHolds,
        mayRenew: gate.heldFor,
        signedFor: signedForOf(job),
        force: job.force === true,
        signal: context.signal,
        onCopied: (copied) => tellCopied({ ...told, now: ports.now() }, copied, ports),
      },
      ports.engine,
    ),
  );
  const evidence = report.evidence.filter((piece) => !isNobodysLoss(piece));
  const work = { ...told, now: ports.now() };
  await tellEvidence(work, evidence, ports);
  await tellRefusedImports(work, report, ports);
  const refusedAnything = refused !== undefined && evidence.some(({ state }) => state === 'refused');
  // A lapse is nobody's push: that its image may not be signed was told when it was pushed.
  if (refusedAnything && job.cause !== 'lapse') await ports.outbox.append(name, signingRefused(work, refused));
  const after = await watch.time('verify', () => observeImage(pinned, digest, armed.policies, ports, context));
  const summaries = await watch.time('summarise', () =>
    settleSummaries(
      { subject, armed, verdicts: after.verdicts, gate, signedFor: signedForOf(job), work },
      ports,
      context,
    ),
  );
  return {
    outcome: 'done',
    rule: armed.rule.name,
    digest,
    evidence: [...evidence, ...summaries],
    packages: report.packages,
    times: report.times,
    ...(refusedAnything ? { refused } : {}),
    refusedImports: report.refusedImports.length,
    verdicts: after.verdicts,
    transitions: [...(before?.transitions ?? []), ...after.transitions],
    took: watch.took(),
  };
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
function gateOf({ source, actor, image, receivedAt, cause }: ImageJob) {
  return {
    source,
    receivedAt,
    cause,
    ...(actor === undefined ? {} : { actor }),
    ...(image.tag === undefined ? {} : { tag: image.tag }),
  };
}

/** A job that restores is nobody's push: what it signs anew was signed for another one. */
function signedForOf({ source, actor, image, cause }: ImageJob): SignedFor | undefined {
  if (cause === 'lapse') return undefined;
  return {
    source,
    ...(actor === undefined ? {} : { actor }),
    ...(image.tag === undefined ? {} : { tag: image.tag }),
  };
}

/** What was handed in and cannot be listed again: only who handed it in has it, and no push is to blame. */
function isNobodysLoss({ state, type }: SettledEvidence): boolean {
  return state === 'refused' && !isMadeType(type);
}
