import type { Pace } from '#copy/pace.ts';
import { type AppError, toAppError } from '#model/errors.ts';

/** Runs a step again while the world may still recover. */
export type Persist = <Result>(registry: string, step: () => Promise<Result>, signal?: AbortSignal) => Promise<Result>;

export interface PersistOptions {
  readonly pace: Pick<Pace, 'pause'>;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Told of each failure that is waited out. */
  onWait?(registry: string, ms: number, error: AppError): void;
}

/** How often a step is tried; being told to wait does not count, within reason. */
const MAX_ATTEMPTS = 5;
const MAX_TOLD_TO_WAIT = 60;
const FIRST_WAIT_MS = 500;
/** When a registry says 429 without a time. */
const DEFAULT_PAUSE_MS = 5000;

/**
 * Repeats a step that failed for a passing reason. Every step looks first at what is there, so that repeating it does
 * nothing twice. A registry that asks to be left alone is left alone by all steps.
 */
export function createPersist({ pace, sleep, onWait }: PersistOptions): Persist {
  return async (registry, step, signal) => {
    let told = 0;
    for (let attempt = 1; ; ) {
      try {
        return await step();
      } catch (thrown) {
        const error = toAppError(thrown);
        signal?.throwIfAborted();
        const wait = waitFor(error, attempt, told);
        if (wait === undefined) throw error;
        if (error.class === 'throttled') {
          told += 1;
          pace.pause(registry, wait);
        } else attempt += 1;
        onWait?.(registry, wait, error);
        await sleep(wait, signal);
      }
    }
  };
}

function waitFor(error: AppError, attempt: number, told: number): number | undefined {
  switch (error.class) {
    case 'throttled':
      return told < MAX_TOLD_TO_WAIT ? (error.retryAfterMs ?? DEFAULT_PAUSE_MS) : undefined;
    case 'transient':
      if (error.code === 'internal' || attempt >= MAX_ATTEMPTS) return undefined;
      return error.retryAfterMs ?? FIRST_WAIT_MS * 2 ** (attempt - 1);
    case 'not-yet':
    case 'permanent':
      return undefined;
  }
}
