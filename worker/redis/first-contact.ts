import type { Redis } from 'ioredis';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

/** What was decided on a registry that is met for the first time. */
export interface FirstContact {
  /** Images that may be enqueued of it without asking; undefined: as many as there are. */
  allowance(registry: string, limit: number): Promise<number | undefined>;
  /** Images of it were enqueued; `all`: none was left, so that it is known from now on. */
  enqueued(registry: string, images: number, all: boolean): Promise<void>;
  /** Somebody decided: all of it is to be attested, or asking begins anew. */
  decide(registry: string, accepted: boolean): Promise<void>;
}

export function createFirstContact(redis: Redis, { prefix }: { readonly prefix: string }): FirstContact {
  const { backfill } = createKeys(prefix);
  return {
    async allowance(registry, limit) {
      const [known, enqueued] = await redisCall(
        'look for first contact',
        redis.hmget(backfill.firstContact(registry), 'known', 'enqueued'),
      );
      return known === '1' ? undefined : Math.max(limit - Number(enqueued ?? 0), 0);
    },
    async enqueued(registry, images, all) {
      const key = backfill.firstContact(registry);
      if (images > 0) await redisCall('note first contact', redis.hincrby(key, 'enqueued', images));
      if (all) await redisCall('note first contact', redis.hset(key, 'known', '1'));
    },
    async decide(registry, accepted) {
      const key = backfill.firstContact(registry);
      if (accepted) await redisCall('note first contact', redis.hset(key, 'known', '1'));
      else await redisCall('forget first contact', redis.del(key));
    },
  };
}
