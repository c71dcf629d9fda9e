import type { Redis } from 'ioredis';
import * as z from 'zod/mini';
import { type Digest, isDigest } from '#model/digest.ts';
import type { EvidencePush, EvidencePushes } from '#model/ports.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

export interface EvidencePushesOptions {
  readonly prefix: string;
  /** Pushes kept for one tag; the newest win. */
  readonly limit?: number;
  /** Milliseconds after the last one. */
  readonly ttlMs?: number;
}

const LIMIT = 200;
/** What was written over unseen is looked for within seconds; later, others may have taken it away on purpose. */
const TTL_MS = 3_600_000;

const Push = z.object({ id: z.string(), digest: z.custom<Digest>((value) => isDigest(value), 'a digest') });

/** The latest pushes to tags that list evidence, in Redis. */
export function createEvidencePushes(redis: Redis, options: EvidencePushesOptions): EvidencePushes {
  const keys = createKeys(options.prefix);
  const { limit = LIMIT, ttlMs = TTL_MS } = options;

  return {
    async note(location, tag, push) {
      const key = keys.evidencePushes(location, tag);
      const noted = redis
        .multi()
        .lindex(key, -1)
        .rpush(key, JSON.stringify({ id: push.id, digest: push.digest }))
        .ltrim(key, -limit, -1)
        .pexpire(key, ttlMs)
        .exec();
      const [[, before] = [], ...rest] = (await redisCall('note an evidence push', noted)) ?? [];
      const failed = rest.find(([error]) => error);
      if (failed?.[0]) await redisCall('note an evidence push', Promise.reject(failed[0]));
      return typeof before === 'string' ? parse(before)[0] : undefined;
    },
    async list(location, tag) {
      const texts = await redisCall('list evidence pushes', redis.lrange(keys.evidencePushes(location, tag), 0, -1));
      const pushes = texts.flatMap(parse);
      return pushes.filter(({ id }, at) => id === '' || pushes.findIndex((other) => other.id === id) === at);
    },
    async drop(location, tag, pushes) {
      const key = keys.evidencePushes(location, tag);
      for (const { id, digest } of pushes) {
        await redisCall('drop an evidence push', redis.lrem(key, 0, JSON.stringify({ id, digest })));
      }
    },
  };
}

function parse(text: string): readonly EvidencePush[] {
  try {
    const parsed = z.safeParse(Push, JSON.parse(text));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}
