import type { Redis } from 'ioredis';
import { AppError } from '#model/errors.ts';
import { createKeys } from '#redis/keys.ts';
import { runScript } from '#redis/script.ts';
import { SPEND_ALLOWANCE } from '#redis/scripts/spend-allowance.ts';

export interface HandInAllowanceOptions {
  readonly prefix: string;
  /** Bytes of statements that one caller may hand in within a window. */
  readonly bytes: number;
  /** Milliseconds; an hour when absent. */
  readonly windowMs?: number;
}

/**
 * What one caller may hand in. The guard of Redis' memory speaks for all: without this one, a single token could fill
 * Redis up to it with statements about digests that it made up, and no push of anybody would be taken any more.
 */
export interface HandInAllowance {
  /** @throws AppError `handed-in-full` with the time until there is room again, `redis-unavailable`. */
  spend(caller: string, bytes: number): Promise<void>;
}

const HOUR_MS = 3_600_000;
/** A small statement costs its job, its look at the registry and its signature all the same. */
const LEAST_BYTES = 16 * 1024;

export function createHandInAllowance(redis: Redis, options: HandInAllowanceOptions): HandInAllowance {
  const keys = createKeys(options.prefix);
  const windowMs = options.windowMs ?? HOUR_MS;
  return {
    async spend(caller, bytes) {
      const amount = Math.max(bytes, LEAST_BYTES);
      const values = [amount, options.bytes, windowMs];
      const retryAfterMs = Number(await runScript(redis, SPEND_ALLOWANCE, [keys.handInAllowance(caller)], values));
      if (retryAfterMs === 0) return;
      const mib = Math.floor(options.bytes / (1024 * 1024));
      throw new AppError('handed-in-full', `${caller} has handed in what it may within an hour (${mib} MiB)`, {
        field: 'producer.api.handInPerHour',
        mend: 'send it again later, or raise producer.api.handInPerHour',
        retryAfterMs,
      });
    },
  };
}
