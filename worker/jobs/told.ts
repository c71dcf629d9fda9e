import type { AttestReport } from '#engine/attest.ts';
import type { SettledEvidence } from '#engine/settle.ts';
import {
  evidenceAttached,
  evidenceCopied,
  evidenceLost,
  evidenceRestored,
  signingRefused,
  type WorkContext,
} from '#events/work-events.ts';
import type { JobPorts } from '#jobs/job-ports.ts';

/** Puts what became of evidence into the outbox, before anything else may fail. */
export async function tellEvidence(
  context: WorkContext,
  evidence: readonly SettledEvidence[],
  ports: JobPorts,
): Promise<void> {
  const made = evidence.filter(({ state }) => state === 'created' || state === 'replaced');
  if (made.length > 0) await ports.outbox.append(context.image, evidenceAttached(context, made));
  await tellHiding(context, evidence, ports);
  const restored = evidence.filter(({ state }) => state === 'restored');
  if (restored.length === 0) return;
  await ports.outbox.append(context.image, evidenceLost(context, restored));
  await ports.outbox.append(context.image, evidenceRestored(context, restored));
}

/** Tells of evidence that was copied, at once: a job that fails afterwards finds it standing when it is tried again. */
export async function tellCopied(
  context: WorkContext,
  copied: readonly SettledEvidence[],
  ports: Pick<JobPorts, 'outbox'>,
): Promise<void> {
  await ports.outbox.append(context.image, evidenceCopied(context, copied));
}

/** Tells of bundles that would hide evidence of others. A lapse is nobody's push: it was told when it was pushed. */
async function tellHiding(context: WorkContext, evidence: readonly SettledEvidence[], ports: JobPorts): Promise<void> {
  if (context.job.cause === 'lapse') return;
  for (const { hiding: why, location, predicateType } of evidence) {
    if (why === undefined) continue;
    await ports.outbox.append(
      context.image,
      signingRefused(context, { reason: 'hiding', why }, `${predicateType} ${location}`),
    );
  }
}

/** Tells of provenance that was found and is not taken over: it may be a mistake of a pipeline, or tampering. */
export async function tellRefusedImports(
  context: WorkContext,
  { refusedImports }: Pick<AttestReport, 'refusedImports'>,
  ports: JobPorts,
): Promise<void> {
  for (const { from, subject, digest, why } of refusedImports) {
    const refusal = { reason: 'import', why: `provenance of ${from} on ${subject} is not taken over: ${why}` } as const;
    await ports.outbox.append(context.image, signingRefused(context, refusal, digest));
  }
}
