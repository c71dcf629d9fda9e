import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { AppError } from '#model/errors.ts';
import { type EvidenceLocation, locationKey } from '#model/evidence.ts';
import type { EvidenceLock, Lease } from '#model/ports.ts';
import { createKeys } from '#redis/keys.ts';
import { openLease } from '#redis/lease.ts';
import { runScript } from '#redis/script.ts';
import { ACQUIRE_LOCK } from '#redis/scripts/acquire-lock.ts';

export interface EvidenceLockOptions {
  readonly prefix: string;
  /** Milliseconds after which a holder that no longer renews has lost the location. */
  readonly leaseMs: number;
  /** Monotonic milliseconds; it runs on while the process is stopped. */
  readonly now?: () => number;
}

const FIRST_WAIT_MS = 25;
const LONGEST_WAIT_MS = 250;
/** The last fence outlives every holder that could still come back with an older one. */
const KEEP_FENCE_MS = 7 * 24 * 3_600_000;

/**
 * One writer per evidence location, by a lease in Redis. A lease alone does not keep out a holder that was stopped for
 * longer than it: hence the fence, and the check just before the PUT.
 */
export function createEvidenceLock(redis: Redis, options: EvidenceLockOptions): EvidenceLock {
  const keys = createKeys(options.prefix);
  const now = options.now ?? (() => performance.now());

  async function acquire(location: EvidenceLocation, waitMs: number, signal?: AbortSignal): Promise<Lease> {
    const lock = keys.lock(location);
    const giveUpAt = now() + waitMs;
    let waitNext = FIRST_WAIT_MS;
    for (;;) {
      signal?.throwIfAborted();
      // The lease counts from before the question, for the answer may come late.
      const askedAt = now();
      const answer = await runScript(
        redis,
        ACQUIRE_LOCK,
        [lock, keys.fence(location)],
        [options.leaseMs, KEEP_FENCE_MS],
      );
      const [token = '-1', remaining = '0'] = answer as [string, string];
      if (token !== '-1') {
        return openLease({ redis, lock, token, askedAt, leaseMs: options.leaseMs, now, name: locationKey(location) });
      }
      const left = giveUpAt - now();
      if (left <= 0) {
        throw new AppError('lock-lost', `another writer holds ${locationKey(location)}`, {
          retryAfterMs: Math.max(Number(remaining), 0),
        });
      }
      await pause(Math.min(waitNext, left, Math.max(Number(remaining), 1)), signal);
      waitNext = Math.min(waitNext * 2, LONGEST_WAIT_MS);
    }
  }

  return { acquire };
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
  } catch {
    signal?.throwIfAborted();
  }
}
