import type { Redis } from 'ioredis';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

/** One thing that a worker learnt of a registry, as plain data; who reads it judges its form and its age. */
export interface LearntFact {
  readonly registry: string;
  readonly repository?: string;
  readonly what: string;
  readonly holds: boolean;
  /** ISO 8601. */
  readonly at: string;
}

/** What workers know of registries, for each other and for the next start. */
export interface LearntFacts {
  /** Replaces what was known of the same thing. */
  note(fact: LearntFact): Promise<void>;
  list(): Promise<readonly unknown[]>;
}

export interface LearntFactsOptions {
  readonly prefix: string;
  /** Milliseconds after the last fact. */
  readonly ttlMs?: number;
}

const TTL_MS = 24 * 3_600_000;
/** A sender may choose the names of repositories: more facts than this, and all are learnt anew. */
const MAX_FACTS = 10_000;

export function createLearntFacts(redis: Redis, { prefix, ttlMs = TTL_MS }: LearntFactsOptions): LearntFacts {
  const { learnt: key } = createKeys(prefix);
  return {
    async note(fact) {
      const field = `${fact.what} ${fact.registry}/${fact.repository ?? ''}`;
      if ((await redisCall('count learnt facts', redis.hlen(key))) >= MAX_FACTS) {
        await redisCall('forget learnt facts', redis.del(key));
      }
      await redisCall('note learnt fact', redis.hset(key, field, JSON.stringify(fact)));
      await redisCall('keep learnt facts', redis.pexpire(key, ttlMs));
    },
    async list() {
      const texts = await redisCall('read learnt facts', redis.hvals(key));
      return texts.flatMap((text) => {
        try {
          return [JSON.parse(text) as unknown];
        } catch {
          return [];
        }
      });
    },
  };
}
