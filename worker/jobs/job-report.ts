import { channel } from 'node:diagnostics_channel';
import type { SettledEvidence } from '#engine/settle.ts';
import type { StepTime } from '#engine/statement-maker.ts';
import type { Digest } from '#model/digest.ts';
import type { ImageJob, Lane } from '#model/job.ts';
import type { Transition } from '#model/ledger.ts';
import type { Removal } from '#model/removal.ts';
import type { RuleMiss } from '#model/rule.ts';
import type { SigningRefusal } from '#model/signing-refusal.ts';
import type { Verdict } from '#model/verdict.ts';

/** What became of one image job. */
export type JobReport =
  | { readonly outcome: 'no-rule'; readonly missed: readonly RuleMiss[] }
  | { readonly outcome: 'not-an-image'; readonly why: string }
  /** What the registry was found not to hold any more. */
  | { readonly outcome: 'looked'; readonly removals: readonly Removal[] }
  | DoneReport;

export interface DoneReport {
  readonly outcome: 'done';
  readonly rule: string;
  readonly digest?: Digest;
  readonly evidence: readonly SettledEvidence[];
  /** Packages found, by platform digest. */
  readonly packages: ReadonlyMap<Digest, number>;
  /** How long each statement and each location took. */
  readonly times: readonly StepTime[];
  /** Why the rule did not let this job sign. */
  readonly refused?: SigningRefusal;
  /** How many statements of others were found and not taken over. */
  readonly refusedImports?: number;
  readonly verdicts: readonly Verdict[];
  readonly transitions: readonly Transition[];
  /** Milliseconds by step. */
  readonly took: Readonly<Record<string, number>>;
}

export interface JobMessage {
  readonly lane: Lane;
  readonly job: ImageJob;
  readonly report: JobReport;
  readonly finishedAt: Date;
}

/** Every finished image job, for metrics and for who watches. */
export const jobChannel = channel('attestry.job');
