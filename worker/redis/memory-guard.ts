import { AppError } from '#model/errors.ts';
import { type MemoryUse, memoryUse } from '#redis/check-server.ts';
import type { RedisConnection } from '#redis/connection.ts';

/** Keeps intake from filling Redis. */
export interface MemoryGuard {
  /** @throws AppError `redis-unavailable` when the server is fuller than the limit, or does not answer */
  requireRoom(): Promise<void>;
}

export interface MemoryGuardOptions {
  /** Share of maxmemory, 0 to 1, from which on nothing is accepted. */
  readonly limit?: number;
  /** Milliseconds that one look at the server counts for. */
  readonly lookEveryMs?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/**
 * At 100 % of maxmemory the workers stop as well, for they cannot even finish a job: nothing drains any more. So new
 * jobs are refused while there is still room to work.
 */
const LIMIT = 0.8;
const LOOK_EVERY_MS = 1000;
const RETRY_AFTER_MS = 30_000;

export function createMemoryGuard(connection: RedisConnection, options: MemoryGuardOptions = {}): MemoryGuard {
  const now = options.now ?? (() => performance.now());
  const limit = options.limit ?? LIMIT;
  const lookEveryMs = options.lookEveryMs ?? LOOK_EVERY_MS;
  let look: { readonly at: number; readonly use: Promise<MemoryUse> } | undefined;

  function current(): Promise<MemoryUse> {
    if (look && now() - look.at < lookEveryMs) return look.use;
    const use = memoryUse(connection);
    look = { at: now(), use };
    // A failed look must not be believed for a whole second after Redis is back.
    use.catch(() => {
      look = undefined;
    });
    return use;
  }

  return {
    async requireRoom() {
      const { share } = await current();
      if (share < limit) return;
      throw new AppError('redis-unavailable', `Redis uses ${Math.round(share * 100)} % of its maxmemory`, {
        field: 'redis',
        mend: 'raise maxmemory, or start more workers',
        retryAfterMs: RETRY_AFTER_MS,
      });
    },
  };
}
