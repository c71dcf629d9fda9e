import type { Redis } from 'ioredis';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

/** What was told and is not to be told again. */
export interface ToldOnce {
  /** Tells, unless it was told already; what fails is told again next time. */
  once(what: string, tell: () => Promise<void>): Promise<void>;
}

/** Longer than any certificate warns of its end. */
const TTL_MS = 800 * 24 * 3_600_000;

export function createToldOnce(redis: Redis, { prefix }: { readonly prefix: string }): ToldOnce {
  const keys = createKeys(prefix);
  return {
    once: async (what, tell) => {
      const key = keys.told(what);
      if ((await redisCall('look for what was told', redis.exists(key))) === 1) return;
      await tell();
      // After it, never before: a process that dies in between tells twice, and receivers know the event by its id.
      await redisCall('remember what was told', redis.set(key, '1', 'PX', TTL_MS));
    },
  };
}
