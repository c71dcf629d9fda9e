import { statementName } from '#engine/statement-maker.ts';
import type { DoneReport, JobMessage } from '#jobs/job-report.ts';
import type { Digest } from '#model/digest.ts';
import type { Verdict } from '#model/verdict.ts';

/** Prints what happens as it happens, each line with the seconds since the start. */
export interface Story {
  chapter(title: string): void;
  line(mark: Mark, text: string, took?: number): void;
  detail(text: string): void;
}

export type Mark = 'ok' | 'bad' | 'note';

const MARKS: Readonly<Record<Mark, { readonly sign: string; readonly colour: number }>> = {
  ok: { sign: '✓', colour: 32 },
  bad: { sign: '✗', colour: 31 },
  note: { sign: '·', colour: 36 },
};

export function createStory(print: (text: string) => void, clock: () => Date, colours: boolean): Story {
  const start = clock().getTime();
  const paint = (colour: number, text: string) => (colours ? `\u001b[${colour}m${text}\u001b[0m` : text);
  return {
    chapter: (title) => print(`\n${paint(1, title)}\n`),
    line: (mark, text, took) => {
      const at = ((clock().getTime() - start) / 1000).toFixed(1).padStart(6);
      const { sign, colour } = MARKS[mark];
      const seconds = took === undefined ? '' : paint(2, `  (${(took / 1000).toFixed(2)} s)`);
      print(`${paint(2, `${at} s`)}  ${paint(colour, sign)} ${text}${seconds}\n`);
    },
    detail: (text) => print(`            ${text}\n`),
  };
}

/** The lines of one finished attest job: packages, evidence and where it is, each verdict. */
export function tellJob(story: Story, message: JobMessage, report: DoneReport, signedBy: string): void {
  const { took } = report;
  story.line('ok', `job done: rule ${report.rule}, digest ${report.digest}`, sum(took));
  for (const [digest, packages] of report.packages) {
    story.line('ok', `SBOM of ${short(digest)}: ${packages} packages`);
  }
  const timeOf = (what: string) => report.times.find((time) => time.what === what)?.ms;
  for (const [location, evidence] of Map.groupBy(report.evidence, (each) => each.location)) {
    for (const { type, predicateType, state, subject } of evidence) {
      const by = state === 'created' || state === 'replaced' ? `, signed by ${signedBy}` : '';
      const made = timeOf(statementName(predicateType, subject));
      story.line(state === 'refused' ? 'bad' : 'ok', `${type} of ${short(subject)} ${state}${by}`, made);
    }
    story.line('ok', `at ${location}`, timeOf(location));
  }
  for (const verdict of report.verdicts) tellVerdict(story, verdict, took.verify);
  const waited = message.finishedAt.getTime() - Date.parse(message.job.receivedAt);
  story.line('note', 'from the push event to the verdict', waited);
}

/** One verdict and the reasons that matter. */
export function tellVerdict(story: Story, verdict: Verdict, took?: number): void {
  const { outcome, policy, emulates, reasons } = verdict;
  const good = outcome === 'pass';
  story.line(good ? 'ok' : 'bad', `${outcome.toUpperCase()} under ${policy.kind} ${policy.name}, as ${emulates}`, took);
  for (const { code, message } of reasons) if (!good && code !== 'verified') story.detail(message);
}

function sum(took: Readonly<Record<string, number>>): number {
  return Object.values(took).reduce((total, each) => total + each, 0);
}

function short(digest: Digest): string {
  return digest.slice(0, 'sha256:'.length + 12);
}
