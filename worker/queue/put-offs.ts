import type { Lane } from '#model/job.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

/**
 * Counts starts that were put off before any work was done: a registry at rest, a budget that is spent. They are no
 * tries of the job, nor waits that a registry asked it for.
 */
export interface PutOffs {
  /** Answers how often the job was put off, this time included. */
  add(jobId: string): Promise<number>;
  count(jobId: string): Promise<number>;
  forget(jobId: string): Promise<void>;
}

export function createPutOffs({ client }: RedisConnection, prefix: string, lane: Lane): PutOffs {
  const key = createKeys(prefix).putOffs(lane);
  return {
    add: (jobId) => redisCall('put job off', client.hincrby(key, jobId, 1)),
    count: async (jobId) => Number(await redisCall('count put-offs', client.hget(key, jobId))),
    forget: async (jobId) => void (await redisCall('forget put-offs', client.hdel(key, jobId))),
  };
}
