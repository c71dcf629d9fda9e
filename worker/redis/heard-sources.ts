import type { Redis } from 'ioredis';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';
import { runScript } from '#redis/script.ts';
import { NOTE_HEARD } from '#redis/scripts/note-heard.ts';

/** When a source spoke, over all producers. Times are milliseconds. */
export interface HeardSource {
  readonly first: Date;
  readonly last: Date;
  /** Deliveries, at most one counted each second. */
  readonly count: number;
  /** The longest silence that is usual. */
  readonly usualMs: number;
  /** From the event to its acceptance, of the last push that told its time. */
  readonly lagMs?: number;
  /** Told to be silent since then. */
  readonly silentSince?: Date;
}

export interface HeardSources {
  heard(source: string, at: Date, lagMs?: number): Promise<void>;
  /** Undefined of a source that never spoke. */
  look(source: string): Promise<HeardSource | undefined>;
  /** Remembers that its silence was told; undefined: that it spoke again. */
  told(source: string, silentSince: Date | undefined): Promise<void>;
}

export function createHeardSources(redis: Redis, { prefix }: { readonly prefix: string }): HeardSources {
  const keys = createKeys(prefix);
  return {
    async heard(source, at, lagMs) {
      await runScript(redis, NOTE_HEARD, [keys.heard(source)], [at.getTime(), lagMs ?? '']);
    },
    async look(source) {
      const found = await redisCall('look when a source spoke', redis.hgetall(keys.heard(source)));
      if (found.last === undefined) return undefined;
      return {
        first: new Date(Number(found.first)),
        last: new Date(Number(found.last)),
        count: Number(found.count),
        usualMs: Number(found.usual),
        ...(found.lag === undefined ? {} : { lagMs: Number(found.lag) }),
        ...(found.silent === undefined ? {} : { silentSince: new Date(Number(found.silent)) }),
      };
    },
    async told(source, silentSince) {
      const key = keys.heard(source);
      if (silentSince === undefined) await redisCall('note that a source speaks', redis.hdel(key, 'silent'));
      else await redisCall('note that a source is silent', redis.hset(key, 'silent', `${silentSince.getTime()}`));
    },
  };
}
