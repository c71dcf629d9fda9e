import type { Redis } from 'ioredis';
import { formatRepositoryRef, type RepositoryRef } from '#model/image-ref.ts';
import type { SeenDigests } from '#model/ports.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

export interface SeenDigestsOptions {
  readonly prefix: string;
  /** Repositories kept for one digest; base images are in thousands. */
  readonly limit?: number;
  /** Milliseconds after the digest was last seen anywhere. */
  readonly ttlMs?: number;
}

const LIMIT = 256;
const TTL_MS = 400 * 24 * 3_600_000;

/** Where digests were seen, over all workers: noted whenever an image is judged. */
export function createSeenDigests(redis: Redis, options: SeenDigestsOptions): SeenDigests {
  const keys = createKeys(options.prefix);
  const { limit = LIMIT, ttlMs = TTL_MS } = options;
  return {
    async note({ registry, repository, digest }) {
      const key = keys.seen(digest);
      const name = formatRepositoryRef({ registry, repository });
      await redisCall('keep where a digest was seen', redis.pexpire(key, ttlMs));
      if ((await redisCall('count where a digest was seen', redis.scard(key))) >= limit) return;
      await redisCall('note where a digest was seen', redis.sadd(key, name));
      await redisCall('keep where a digest was seen', redis.pexpire(key, ttlMs));
    },
    async places(digest) {
      const names = await redisCall('look where a digest was seen', redis.smembers(keys.seen(digest)));
      return names.sort().flatMap(splitName);
    },
  };
}

/** By the configured registry name, which need not look like a host: the reference grammar must not read it. */
function splitName(name: string): readonly RepositoryRef[] {
  const slash = name.indexOf('/');
  return slash < 1 ? [] : [{ registry: name.slice(0, slash), repository: name.slice(slash + 1) }];
}
