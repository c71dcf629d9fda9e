import type { Redis } from 'ioredis';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';
import { runScript } from '#redis/script.ts';
import { EXTEND_PAUSE } from '#redis/scripts/extend-pause.ts';

/** What one worker heard from a registry (`Retry-After`) holds for all. */
export interface HostPause {
  /** An earlier end never shortens a later one; at most the bound from now. */
  pauseUntil(host: string, until: Date): Promise<void>;
  /** Undefined when the host may be asked. */
  pausedUntil(host: string): Promise<Date | undefined>;
}

export interface HostPauseOptions {
  readonly prefix: string;
  /** Milliseconds; no registry can keep us away for longer at once. */
  readonly longestMs?: number;
}

const LONGEST_MS = 3_600_000;

export function createHostPause(redis: Redis, options: HostPauseOptions): HostPause {
  const keys = createKeys(options.prefix);
  const longestMs = options.longestMs ?? LONGEST_MS;
  return {
    async pauseUntil(host, until) {
      await runScript(redis, EXTEND_PAUSE, [keys.hostPause(host)], [until.getTime(), longestMs]);
    },
    async pausedUntil(host) {
      const until = Number(await redisCall('look for host pause', redis.get(keys.hostPause(host))));
      return until > 0 ? new Date(until) : undefined;
    },
  };
}
