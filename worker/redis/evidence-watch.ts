import type { Redis } from 'ioredis';
import type { EvidenceLocation } from '#model/evidence.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import type { EvidencePush } from '#model/ports.ts';
import { createEvidencePushes } from '#redis/evidence-pushes.ts';
import { createKeys } from '#redis/keys.ts';
import { createOwnPushes } from '#redis/own-pushes.ts';
import { redisCall } from '#redis/redis-error.ts';

interface Pushed {
  readonly location: EvidenceLocation;
  readonly tag: string;
  readonly push: EvidencePush;
}

/**
 * Notes pushes to the tags that list evidence, where we have written some. One of others may have lost pieces; one of ours
 * may have too, when the list before it is not the one that it was made from.
 */
export function createEvidenceWatch(
  redis: Redis,
  options: { readonly prefix: string },
): { pushed(pushed: Pushed): Promise<boolean> } {
  const keys = createKeys(options.prefix);
  const pushes = createEvidencePushes(redis, options);
  const ownPushes = createOwnPushes(redis, options);
  return {
    async pushed({ location, tag, push }) {
      if ((await redisCall('look for written evidence', redis.exists(keys.written(location)))) === 0) return false;
      const before = await pushes.note(location, tag, push);
      const name = formatRepositoryRef(location);
      if (!(await ownPushes.has(name, push.digest))) return true;
      if (before === undefined || before.digest === push.digest) return false;
      const over = await ownPushes.over(name, push.digest);
      return over !== undefined && over !== before.digest;
    },
  };
}
