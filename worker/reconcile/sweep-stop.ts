import type { AppError } from '#model/errors.ts';
import type { SweepStop } from '#model/sweep.ts';

const FIRST_WAIT_MS = 30_000;
/** What may pass by itself is worth a look this often, however long it lasts. */
const LONGEST_WAIT_MS = 15 * 60_000;
/** What only people mend is looked at this often, for when they did. */
const LONGEST_PERMANENT_WAIT_MS = 3_600_000;
/** A sweep that a registry's bad quarter of an hour stops is no news. */
const TELL_AFTER_STOPS = 6;

/**
 * What is noted when a sweep was stopped: waits double from stop to stop, are no shorter than the registry asks, and
 * begin anew where the sweep came further than the last time.
 */
export function stopAfter(
  previous: SweepStop | undefined,
  error: AppError,
  { at, cameFurther }: { readonly at: Date; readonly cameFurther: boolean },
): SweepStop {
  // A registry that is busy with jobs is well: its sweep waits for a place among them.
  const isNew = previous === undefined || cameFurther || error.code === 'over-budget';
  const stops = isNew ? 1 : previous.stops + 1;
  const longest = error.class === 'permanent' ? LONGEST_PERMANENT_WAIT_MS : LONGEST_WAIT_MS;
  const doubled = Math.min(FIRST_WAIT_MS * 2 ** Math.min(stops - 1, 20), longest);
  const wait = Math.max(doubled, error.retryAfterMs ?? 0);
  return {
    since: previous?.since ?? at,
    stops,
    retryAt: new Date(at.getTime() + wait),
    told: previous?.told ?? false,
    over: false,
  };
}

/** Whether people are to hear of it: nothing but them mends it, or it lasts. */
export function isNews({ told, stops }: SweepStop, error: AppError): boolean {
  return !told && (error.class === 'permanent' || stops >= TELL_AFTER_STOPS);
}
