import { type MendedPiece, mendLocation } from '#engine/mend.ts';
import type { SettledEvidence } from '#engine/settle.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { DoneReport } from '#jobs/job-report.ts';
import { ledgerImage } from '#jobs/observe.ts';
import { createStopwatch } from '#jobs/stopwatch.ts';
import { tellEvidence } from '#jobs/told.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { WrittenEvidence } from '#model/evidence.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { ImageJob } from '#model/job.ts';

/**
 * Lists again what writers lost of the evidence in one repository on one digest: ours where its rule restores what lapsed,
 * and what our own writing took from others.
 */
export async function mendJob(
  job: ImageJob,
  { registry, repository, digest }: ImageRef,
  ports: JobPorts,
  { signal }: JobContext,
): Promise<DoneReport> {
  if (digest === undefined) throw new AppError('job-malformed', 'a job that mends names no digest', { field: 'image' });
  const watch = createStopwatch(ports.now);
  const location = { registry, repository, digest };
  const engine = { ...ports.engine, evidencePushes: ports.evidencePushes };
  const mended = await watch.time('mend', () => mendLocation(location, engine, restores(ports), signal));
  const evidence = mended.map((piece) => restored(piece, digest, ports));
  const rule = mended.find(({ entry }) => entry)?.entry?.rule ?? '(none)';
  const work = { image: ledgerImage(location, digest), rule, source: ports.installation.source, job, now: ports.now() };
  await tellEvidence(work, evidence, ports);
  return {
    outcome: 'done',
    rule,
    digest,
    evidence,
    packages: new Map(),
    times: [],
    verdicts: [],
    transitions: [],
    took: watch.took(),
  };
}

/** Whether the rule that a piece was written for restores what lapsed; what no rule wants any more is left. */
export function restores({ installation }: JobPorts): (entry: WrittenEvidence) => boolean {
  const rules = new Map(installation.rules.map((rule) => [rule.name, rule.onLapse]));
  return ({ rule }) => rules.get(rule) === 'attest';
}

function restored(
  { location, layout, predicateType, digest, entry }: MendedPiece,
  subject: Digest,
  { installation }: JobPorts,
): SettledEvidence {
  const rule = installation.rules.find(({ name }) => name === entry?.rule);
  const type = rule?.evidence.find((each) => each.predicateType === predicateType)?.type ?? 'custom';
  return { type, predicateType, layout, location, subject, digest, state: 'restored' };
}
