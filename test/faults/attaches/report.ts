import type { Disturbed } from './disturbance.ts';
import type { FinalCount } from './final-count.ts';
import type { ForeignAttach } from './foreign-writer.ts';
import type { AttachSize, Form } from './size.ts';

export interface AttachRun {
  readonly form: Form;
  readonly size: AttachSize;
  readonly seed: number;
  readonly disturbed: Disturbed;
  /** Jobs that were put aside since too many workers died in them. */
  readonly released: number;
  readonly foreign: readonly ForeignAttach[];
  readonly count: FinalCount;
  readonly seconds: number;
  readonly requests: number;
  readonly changes: number;
}

/** The counts of a run, for people. */
export function reportOf(run: AttachRun): string {
  const { form, size, seed, disturbed, released, foreign, count, seconds, requests, changes } = run;
  const wanted = size.digests * size.each;
  const succeeded = foreign.filter((each) => each.succeeded).length;
  return [
    `${form}: ${wanted} attaches, ${size.each} to each of ${size.digests} digests, from ${size.workers} processes, seed ${seed}`,
    `  ${seconds.toFixed(0)} s, ${(wanted / seconds).toFixed(1)} attaches/s, ${requests} requests, ${changes} manifests written`,
    `  kill -9: ${disturbed.kills}, SIGSTOP: ${disturbed.stops}, SIGSTOP past the lease: ${disturbed.stopsPastLease}; jobs put aside after four deaths and released: ${released}`,
    `  ours: ${count.oursListed} listed, ${count.oursMissing} missing, ${count.duplicates} duplicates; ${count.oursDestroyed} taken off by cosign on the way`,
    `  cosign attest: ${foreign.length} started, ${succeeded} succeeded, ${count.foreignListed} listed, ${count.foreignLostByCosign} lost by cosign itself`,
    `  cosign's evidence that we removed: ${count.foreignRemovedByUs}; ${count.foreignOverwritten} times we wrote over it unseen on the way`,
  ].join('\n');
}
