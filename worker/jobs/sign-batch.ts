import { attestImage } from '#engine/attest.ts';
import type { EvidenceWish } from '#engine/engine-ports.ts';
import type { SettledEvidence } from '#engine/settle.ts';
import { signingRefused, type WorkContext } from '#events/work-events.ts';
import type { ArmedRule } from '#jobs/installation.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { DoneReport } from '#jobs/job-report.ts';
import { observeImage } from '#jobs/observe.ts';
import { createStopwatch } from '#jobs/stopwatch.ts';
import { tellEvidence } from '#jobs/told.ts';
import type { Digest } from '#model/digest.ts';
import { AppError, ERRORS } from '#model/errors.ts';
import type { SigningRefusal } from '#model/signing-refusal.ts';
import type { Subject } from '#model/subject.ts';

/** A statement that was handed in, on its way to an answer. */
export interface AskedStatement {
  readonly id: string;
  readonly work: WorkContext;
  readonly digest: Digest;
  /** Milliseconds by step, so far. */
  readonly took: DoneReport['took'];
}

/** One that a rule lets be signed. */
export interface AllowedStatement extends AskedStatement {
  readonly armed: ArmedRule;
  readonly subject: Subject;
  readonly wish: EvidenceWish;
}

/**
 * Signs statements of one rule and signer, each of another type, and attaches them in one write. `one-is-bad`: nothing was
 * attached since one of several can never be signed.
 * @throws AppError when nothing can be signed now, or for the one statement that never can be.
 */
export async function signBatch(
  batch: readonly AllowedStatement[],
  ports: JobPorts,
  context: JobContext,
): Promise<readonly DoneReport[] | 'one-is-bad'> {
  const [first] = batch;
  if (!first) return [];
  const watch = createStopwatch(ports.now);
  const { subject, armed, digest, work } = first;
  const wishes = batch.map(({ wish }) => wish);
  const request = { subject, wishes, maySign: true, mayRestore: false, force: false, signal: context.signal };
  const settled = await watch.time('attest', () => unlessBad(attestImage(request, ports.engine)));
  if (settled instanceof AppError) {
    if (batch.length > 1) return 'one-is-bad';
    if (settled.code !== 'statement-refused') throw settled;
    return [await refuseStatement(first, { reason: 'statement', why: settled.message }, ports)];
  }
  const reports: DoneReport[] = [];
  for (const asked of batch) {
    const evidence = settled.evidence.filter(({ predicateType }) => predicateType === asked.wish.predicateType);
    await tellEvidence(asked.work, evidence, ports);
    reports.push(doneReport(asked, { evidence }));
  }
  const { registry, repository, tag } = work.job.image;
  const image = { registry, repository, digest, ...(tag === undefined ? {} : { tag }) };
  const after = await watch.time('verify', () => observeImage(image, digest, armed.policies, ports, context));
  // What the image is found to be is found once, after all of them.
  return reports.map((report, at) =>
    at < reports.length - 1 ? report : { ...report, ...after, took: { ...report.took, ...watch.took() } },
  );
}

/** Tells that a statement is not signed, and why. */
export async function refuseStatement(
  asked: AskedStatement,
  refused: SigningRefusal,
  ports: JobPorts,
): Promise<DoneReport> {
  await ports.outbox.append(asked.work.image, signingRefused(asked.work, refused, asked.id));
  return doneReport(asked, { refused });
}

/** The failure itself, where trying again cannot help. */
async function unlessBad<Result>(work: Promise<Result>): Promise<Result | AppError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AppError && ERRORS[error.code].class === 'permanent') return error;
    throw error;
  }
}

interface Outcome extends Pick<Partial<DoneReport>, 'refused'> {
  readonly evidence?: readonly SettledEvidence[];
}

function doneReport({ work, digest, took }: AskedStatement, { evidence = [], refused }: Outcome): DoneReport {
  return {
    outcome: 'done',
    rule: work.rule,
    digest,
    evidence,
    packages: new Map(),
    times: [],
    ...(refused ? { refused } : {}),
    verdicts: [],
    transitions: [],
    took,
  };
}
