import type { ProcessParts } from '#compose/process-parts.ts';
import type { JobQueues } from '#queue/queues.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createDurableWrites } from '#redis/durable-writes.ts';

/**
 * The same queues, whose jobs count as enqueued when they are stored as `redis.durability` wants it. What is not in time
 * is thrown: the job may be there, its sender repeats it, and the queue knows it then.
 */
export async function durableQueues(
  queues: JobQueues,
  connection: RedisConnection,
  { config, connect, randomBytes }: Pick<ProcessParts, 'config' | 'connect' | 'randomBytes'>,
  stack: AsyncDisposableStack,
): Promise<JobQueues> {
  const { durability, prefix } = config.redis;
  if (durability === undefined) return queues;
  const { client: waiter } = stack.use(await connect('waiter'));
  const id = Buffer.from(randomBytes(12)).toString('base64url');
  const writes = createDurableWrites({ prefix, durability, writer: connection.client, waiter, id });
  return {
    ...queues,
    async enqueueImage(lane, job, options) {
      const enqueued = await queues.enqueueImage(lane, job, options);
      await writes.confirm();
      return enqueued;
    },
  };
}
