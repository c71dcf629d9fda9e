import type { Redis } from 'ioredis';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

/** A certificate that was looked up in a list. */
export interface AskedCertificate {
  readonly source: string;
  /** Serial number, content bytes in lower-case hex. */
  readonly serial: string;
  /** What the list said of it when it was last looked at; empty: nobody has looked since it was asked for. */
  readonly said: string;
}

/** Which certificates of known evidence are in question, over all workers and beyond their end. */
export interface RevocationMemory {
  /** Puts down that a certificate was looked up; what is known of it stays. */
  ask(trust: string, source: string, serial: string): Promise<void>;
  asked(trust: string): Promise<readonly AskedCertificate[]>;
  note(trust: string, certificate: AskedCertificate): Promise<void>;
}

export interface RevocationMemoryOptions {
  readonly prefix: string;
  /** Milliseconds after the last certificate was asked for. */
  readonly ttlMs?: number;
}

const TTL_MS = 400 * 24 * 3_600_000;
/** Certificates of one trust; a CA that certifies each build anew has no use for lists. */
const MAX_ASKED = 10_000;

export function createRevocationMemory(redis: Redis, options: RevocationMemoryOptions): RevocationMemory {
  const keys = createKeys(options.prefix);
  const ttlMs = options.ttlMs ?? TTL_MS;
  return {
    async ask(trust, source, serial) {
      const key = keys.revocation(trust);
      if ((await redisCall('count asked certificates', redis.hlen(key))) >= MAX_ASKED) return;
      await redisCall('note asked certificate', redis.hsetnx(key, `${serial} ${source}`, ''));
      await redisCall('keep asked certificates', redis.pexpire(key, ttlMs));
    },
    async asked(trust) {
      const fields = await redisCall('read asked certificates', redis.hgetall(keys.revocation(trust)));
      return Object.entries(fields).map(([field, said]) => {
        const space = field.indexOf(' ');
        return { serial: field.slice(0, space), source: field.slice(space + 1), said };
      });
    },
    async note(trust, { source, serial, said }) {
      await redisCall('note revocation', redis.hset(keys.revocation(trust), `${serial} ${source}`, said));
    },
  };
}
