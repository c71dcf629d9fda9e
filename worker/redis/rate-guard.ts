import type { Redis } from 'ioredis';
import { createKeys } from '#redis/keys.ts';
import { runScript } from '#redis/script.ts';
import { COUNT_IN_WINDOW } from '#redis/scripts/count-in-window.ts';

/** Pushes per repository: the one defence that stops a loop which nobody foresaw. */
export interface RateGuard {
  /** Counts one push and answers how many there were in the last window. `repository` is `registry/path`. */
  count(repository: string): Promise<number>;
}

export interface RateGuardOptions {
  readonly prefix: string;
  /** Milliseconds; an hour when absent. */
  readonly windowMs?: number;
}

const HOUR_MS = 3_600_000;

export function createRateGuard(redis: Redis, options: RateGuardOptions): RateGuard {
  const keys = createKeys(options.prefix);
  const windowMs = options.windowMs ?? HOUR_MS;
  return {
    async count(repository) {
      return Number(await runScript(redis, COUNT_IN_WINDOW, [keys.rate(repository)], [windowMs]));
    },
  };
}
