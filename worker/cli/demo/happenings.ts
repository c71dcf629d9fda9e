import { type JobMessage, jobChannel } from '#jobs/job-report.ts';
import { AppError } from '#model/errors.ts';

/** Things that happen by themselves, to be waited for one after the other; what came before the wait counts too. */
export interface Happenings<Thing> extends Disposable {
  /** The first thing since the last one taken that fits. @throws AppError `timeout`, `canceled`. */
  next(what: string, fits: (thing: Thing) => boolean): Promise<Thing>;
}

/** Cold machines are slow, stuck ones are slower. */
const PATIENCE_MS = 180_000;

export interface HappeningsSource<Thing> extends Happenings<Thing> {
  add(thing: Thing): void;
}

export function createHappenings<Thing>(signal: AbortSignal): HappeningsSource<Thing> {
  let seen: Thing[] = [];
  let wake: (() => void) | undefined;

  function take(fits: (thing: Thing) => boolean): Thing | undefined {
    const at = seen.findIndex(fits);
    if (at < 0) return undefined;
    const [thing] = seen.splice(at, 1);
    seen = seen.slice(at);
    return thing;
  }

  return {
    add: (thing) => {
      seen.push(thing);
      wake?.();
    },
    next: async (what, fits) => {
      const late = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
      for (;;) {
        const found = take(fits);
        if (found !== undefined) return found;
        if (late.aborted) {
          throw signal.aborted
            ? new AppError('canceled', 'stopped')
            : new AppError('timeout', `waited ${PATIENCE_MS / 1000} s for ${what}, and it did not come`);
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
          late.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    },
    [Symbol.dispose]: () => {
      wake = undefined;
    },
  };
}

/** Every image job that finishes in this process. */
export function watchJobs(signal: AbortSignal): Happenings<JobMessage> {
  const happenings = createHappenings<JobMessage>(signal);
  const listener = (message: unknown) => happenings.add(message as JobMessage);
  jobChannel.subscribe(listener);
  return {
    next: happenings.next,
    [Symbol.dispose]: () => {
      jobChannel.unsubscribe(listener);
      happenings[Symbol.dispose]();
    },
  };
}
