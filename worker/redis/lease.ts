import type { Redis } from 'ioredis';
import { AppError } from '#model/errors.ts';
import type { Lease } from '#model/ports.ts';
import { runScript } from '#redis/script.ts';
import { RELEASE_LOCK } from '#redis/scripts/release-lock.ts';
import { RENEW_LOCK } from '#redis/scripts/renew-lock.ts';

export interface LeaseGrant {
  readonly redis: Redis;
  readonly lock: string;
  /** The fence as text: it is the lock's value, so no second token is needed. */
  readonly token: string;
  /** Monotonic milliseconds, read before the grant was asked for. */
  readonly askedAt: number;
  readonly leaseMs: number;
  readonly now: () => number;
  /** For messages. */
  readonly name: string;
}

/** A renewal is tried this many times before the lease would run out. */
const RENEWALS_PER_LEASE = 3;

/** Keeps a granted lease alive until it is disposed of or lost. */
export function openLease(grant: LeaseGrant): Lease {
  const lost = new AbortController();
  let validUntil = grant.askedAt + grant.leaseMs;
  let closed = false;
  let timer = setTimeout(tick, grant.leaseMs / RENEWALS_PER_LEASE);

  function lose(why: string): AppError {
    const error = new AppError('lock-lost', `lost ${grant.name}: ${why}`);
    clearTimeout(timer);
    if (!lost.signal.aborted) lost.abort(error);
    return error;
  }

  /** False when the server says that the lease is another's or gone. */
  async function renew(): Promise<boolean> {
    const askedAt = grant.now();
    const held = await runScript(grant.redis, RENEW_LOCK, [grant.lock], [grant.token, grant.leaseMs]);
    if (held === 1) validUntil = Math.max(validUntil, askedAt + grant.leaseMs);
    return held === 1;
  }

  async function tick(): Promise<void> {
    if (closed || lost.signal.aborted) return;
    // Our own clock first: after a stop of the process the server may not know yet that the lease has run out.
    if (grant.now() >= validUntil) {
      lose('it was not renewed in time');
      return;
    }
    try {
      const held = await withinLease(renew());
      if (!held && !closed) lose('another writer took it');
    } catch {
      // Redis did not answer; there is time for another try until the lease runs out.
    }
    if (closed || lost.signal.aborted) return;
    const next = Math.min(grant.leaseMs / RENEWALS_PER_LEASE, Math.max(validUntil - grant.now(), 0));
    timer = setTimeout(tick, next);
  }

  /** A call to Redis that hangs must not hold up the finding that the lease ran out. */
  async function withinLease<T>(call: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const late = setTimeout(() => reject(lateAnswer(grant.name)), Math.max(validUntil - grant.now(), 0));
    try {
      return await Promise.race([call, promise]);
    } finally {
      clearTimeout(late);
      call.catch(() => undefined);
    }
  }

  async function check(): Promise<void> {
    lost.signal.throwIfAborted();
    if (closed) throw lose('it was given back');
    if (grant.now() >= validUntil) throw lose('it was not renewed in time');
    // Renewing is the check: who passes it has a whole lease ahead for the PUT.
    if (!(await withinLease(renew()))) throw lose('another writer took it');
    lost.signal.throwIfAborted();
  }

  async function release(): Promise<void> {
    if (closed) return;
    closed = true;
    clearTimeout(timer);
    // When Redis is away the lease ends by itself.
    await runScript(grant.redis, RELEASE_LOCK, [grant.lock], [grant.token]).catch(() => undefined);
  }

  return { fence: Number(grant.token), signal: lost.signal, check, [Symbol.asyncDispose]: release };
}

function lateAnswer(name: string): AppError {
  return new AppError('redis-unavailable', `no answer from Redis while ${name} was held`);
}
