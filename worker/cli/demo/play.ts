import type { ReceivedAlert } from '#cli/demo/alert-receiver.ts';
import type { DemoFiles } from '#cli/demo/demo-files.ts';
import { DEMO_REPOSITORY, DEMO_TAG } from '#cli/demo/demo-files.ts';
import { type Happenings, watchJobs } from '#cli/demo/happenings.ts';
import { buildDemoImage } from '#cli/demo/image-builder.ts';
import { pushImage } from '#cli/demo/push-image.ts';
import { type Story, tellJob, tellVerdict } from '#cli/demo/story.ts';
import type { DoneReport, JobMessage } from '#jobs/job-report.ts';
import type { Digest } from '#model/digest.ts';
import { digestTag } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { Target } from '#oci/target.ts';

export interface PlayParts {
  readonly story: Story;
  readonly target: Target;
  readonly registry: string;
  /** Whether the registry reports its pushes by itself. */
  readonly notifies: boolean;
  /** Folder of a Node application with its node_modules. */
  readonly application: string;
  readonly files: DemoFiles;
  readonly producerUrl: string;
  readonly operatorToken: string;
  /** Who the demonstration's certificate names. */
  readonly signedBy: string;
  readonly alerts: Happenings<ReceivedAlert>;
  readonly signal: AbortSignal;
  now(): Date;
}

/** Plays the whole job once on a real image; answers what was not as it should be. */
export async function playDemo(parts: PlayParts): Promise<readonly string[]> {
  using jobs = watchJobs(parts.signal);
  const wrong: string[] = [];
  const digest = await playPush(parts, jobs, wrong);
  await playLapse(parts, jobs, digest, wrong);
  return wrong;
}

async function playPush(parts: PlayParts, jobs: Happenings<JobMessage>, wrong: string[]): Promise<Digest> {
  const { story, registry, signal } = parts;
  const image = `${registry}/${DEMO_REPOSITORY}:${DEMO_TAG}`;
  story.chapter('A pushed image gets its signed evidence');
  const began = parts.now().getTime();
  const built = await buildDemoImage({ root: '/', application: parts.application });
  story.line('ok', 'built an index of two platforms from the software of this machine', parts.now().getTime() - began);
  const pushing = parts.now().getTime();
  const pushed = await pushImage(parts.target, DEMO_REPOSITORY, DEMO_TAG, built, signal);
  story.line('ok', `pushed ${image}`, parts.now().getTime() - pushing);
  if (!parts.notifies) await callApi(parts, '/v1/images', `${image}@${pushed.digest}`);
  const cause = parts.notifies ? 'push' : 'api';
  const message = await jobs.next('the job of the push', isAttest(pushed.digest, cause));
  const heard = Date.parse(message.job.receivedAt) - pushing;
  const how = parts.notifies ? 'notification of the registry' : 'request to the API';
  story.line('ok', `push seen: ${how} (source ${message.job.source}), job in Redis`, Math.max(heard, 0));
  const report = doneReport(message, wrong);
  if (report) {
    tellJob(story, message, report, parts.signedBy);
    expectOutcome(report, 'pass', 'after the push', wrong);
  }
  return pushed.digest;
}

async function playLapse(
  parts: PlayParts,
  jobs: Happenings<JobMessage>,
  digest: Digest,
  wrong: string[],
): Promise<void> {
  const { story, target, registry } = parts;
  story.chapter('The evidence is deleted from the registry');
  const tag = digestTag(digest, '.att');
  const evidence = await target.resolve(DEMO_REPOSITORY, tag, parts.signal);
  await target.deleteManifest(DEMO_REPOSITORY, evidence.digest, parts.signal);
  story.line('note', `deleted ${registry}/${DEMO_REPOSITORY}:${tag}`);
  await callApi(parts, '/v1/reverify', `${registry}/${DEMO_REPOSITORY}@${digest}`);
  story.line('note', 're-verification asked for (a schedule does it by itself)');
  const verified = doneReport(await jobs.next('the re-verification', isVerify(digest)), wrong);
  for (const verdict of verified?.verdicts ?? []) tellVerdict(story, verdict, verified?.took.verify);
  if (verified) expectOutcome(verified, 'fail', 'after the deletion', wrong);
  const alert = await parts.alerts.next('the alert', ({ endsAt }) => isAhead(endsAt, parts.now()));
  story.line('bad', `ALERT ${alert.labels.alertname}: ${alert.annotations.summary}`);
  story.detail(`to ${alert.labels.severity}, reason ${alert.annotations.reason ?? 'unknown'}`);

  story.chapter('The worker attests again');
  const message = await jobs.next('the restoring job', isAttest(digest, 'lapse'));
  const report = doneReport(message, wrong);
  if (report) {
    tellJob(story, message, report, parts.signedBy);
    expectOutcome(report, 'pass', 'after the restoration', wrong);
  }
  const resolved = await parts.alerts.next('the end of the alert', ({ endsAt }) => !isAhead(endsAt, parts.now()));
  story.line('ok', `alert resolved: ${resolved.labels.image}`);
}

async function callApi({ producerUrl, operatorToken, signal }: PlayParts, path: string, image: string): Promise<void> {
  const response = await fetch(`${producerUrl}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ image }),
    signal,
  });
  if (response.ok) return;
  throw new AppError('internal', `the API answered ${response.status} to ${path}: ${await response.text()}`);
}

function isAttest(digest: Digest, cause: string): (message: JobMessage) => boolean {
  return ({ job, report }) =>
    job.kind === 'attest' && job.cause === cause && (job.image.digest === digest || report.outcome !== 'done');
}

function isVerify(digest: Digest): (message: JobMessage) => boolean {
  return ({ job }) => job.kind === 'verify' && job.image.digest === digest;
}

function doneReport({ report }: JobMessage, wrong: string[]): DoneReport | undefined {
  if (report.outcome === 'done') return report;
  wrong.push(`a job ended as ${report.outcome}`);
  return undefined;
}

function expectOutcome({ verdicts }: DoneReport, wanted: string, when: string, wrong: string[]): void {
  if (verdicts.length === 0) wrong.push(`no verdict ${when}`);
  for (const { outcome, policy } of verdicts) {
    if (outcome !== wanted) wrong.push(`${policy.name} said ${outcome} ${when}, not ${wanted}`);
  }
}

function isAhead(endsAt: string | undefined, now: Date): boolean {
  return endsAt !== undefined && Date.parse(endsAt) > now.getTime();
}
