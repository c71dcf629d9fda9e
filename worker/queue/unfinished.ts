import type { Lane } from '#model/job.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

/**
 * Counts starts that came to no end: their worker died. The queue's own count of stalls also grows when Redis was away
 * for longer than a lock lives, through no fault of the job.
 */
export interface UnfinishedStarts {
  /** Answers how often the job was begun without an end, this time included. */
  begin(jobId: string): Promise<number>;
  end(jobId: string): Promise<void>;
}

export function createUnfinishedStarts(connection: RedisConnection, prefix: string, lane: Lane): UnfinishedStarts {
  const key = createKeys(prefix).unfinished(lane);
  return {
    async begin(jobId) {
      return redisCall('begin job', connection.client.hincrby(key, jobId, 1));
    },
    async end(jobId) {
      await redisCall('end job', connection.client.hdel(key, jobId));
    },
  };
}
