import type { Redis } from 'ioredis';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

/** Which deliveries of which source were already accepted. */
export interface DeliveryIds {
  seen(source: string, id: string): Promise<boolean>;
  /** Called after everything of the delivery is enqueued, never before: a failed delivery must count when sent again. */
  remember(source: string, id: string): Promise<void>;
}

export interface DeliveryIdsOptions {
  readonly prefix: string;
  /** Milliseconds for which an id is remembered: longer than senders retry. */
  readonly ttlMs?: number;
}

const TTL_MS = 3 * 24 * 3_600_000;

export function createDeliveryIds(redis: Redis, options: DeliveryIdsOptions): DeliveryIds {
  const keys = createKeys(options.prefix);
  const ttlMs = options.ttlMs ?? TTL_MS;
  return {
    async seen(source, id) {
      return (await redisCall('look for delivery id', redis.exists(keys.delivery(source, id)))) === 1;
    },
    async remember(source, id) {
      await redisCall('remember delivery id', redis.set(keys.delivery(source, id), '1', 'PX', ttlMs));
    },
  };
}
