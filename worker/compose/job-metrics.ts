import { type JobMessage, jobChannel } from '#jobs/job-report.ts';
import type { Lane } from '#model/job.ts';
import type { Metrics } from '#telemetry/metrics.ts';

/** Counts what finished jobs report; ends with the returned function. */
export function countJobs(metrics: Metrics): () => void {
  const listener = (message: unknown) => countJob(message as JobMessage, metrics);
  jobChannel.subscribe(listener);
  return () => void jobChannel.unsubscribe(listener);
}

function countJob({ job, report, finishedAt }: JobMessage, metrics: Metrics): void {
  if (report.outcome !== 'done') return;
  for (const { state, type, layout, hiding } of report.evidence) {
    if (state === 'created' || state === 'replaced') {
      metrics.count('attestry_evidence_attached_total', { type, layout });
    }
    if (state === 'copied') metrics.count('attestry_evidence_copied_total', { type, layout });
    if (state === 'restored') metrics.count('attestry_evidence_restored_total', {});
    if (hiding !== undefined) metrics.count('attestry_signing_refused_total', { reason: 'hiding' });
  }
  for (let left = report.refusedImports ?? 0; left > 0; left--) {
    metrics.count('attestry_signing_refused_total', { reason: 'import' });
  }
  if (report.refused) metrics.count('attestry_signing_refused_total', { reason: report.refused.reason });
  for (const { outcome } of report.verdicts) metrics.count('attestry_verdicts_total', { outcome });
  for (const { change, verdict } of report.transitions) {
    if (change === 'changed') metrics.count('attestry_verdict_changes_total', { outcome: verdict.outcome });
  }
  const pushed = job.kind === 'attest' && (job.cause === 'push' || job.cause === 'api');
  if (!pushed || report.refused !== undefined) return;
  const seconds = (finishedAt.getTime() - Date.parse(job.receivedAt)) / 1000;
  metrics.observe('attestry_push_to_attested_seconds', {}, seconds);
}

/** Measures one run of a job to its end, whatever that is. */
export function timeRun(metrics: Pick<Metrics, 'observe'>, lane: Lane, now: () => Date): Disposable {
  const start = now().getTime();
  return {
    [Symbol.dispose]: () => metrics.observe('attestry_job_seconds', { lane }, (now().getTime() - start) / 1000),
  };
}
