import type { Redis } from 'ioredis';
import { isDigest } from '#model/digest.ts';
import type { OwnPushes } from '#model/ports.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

export interface OwnPushesOptions {
  readonly prefix: string;
  /** Milliseconds for which an announcement of our own manifest is known as such: longer than senders retry. */
  readonly ttlMs?: number;
}

const TTL_MS = 24 * 3_600_000;

/**
 * What we push comes back as an event, and would be attested in turn. Written before the PUT, since a registry may send
 * its event before it answers.
 */
export function createOwnPushes(redis: Redis, options: OwnPushesOptions): OwnPushes {
  const keys = createKeys(options.prefix);
  const ttlMs = options.ttlMs ?? TTL_MS;
  return {
    async announce(repository, digest, over) {
      await redisCall('announce own push', redis.set(keys.ownPush(repository, digest), over ?? '', 'PX', ttlMs));
    },
    async over(repository, digest) {
      const over = await redisCall('look for own push', redis.get(keys.ownPush(repository, digest)));
      return over === 'nothing' || isDigest(over) ? over : undefined;
    },
    async has(repository, digest) {
      return (await redisCall('look for own push', redis.exists(keys.ownPush(repository, digest)))) === 1;
    },
  };
}
