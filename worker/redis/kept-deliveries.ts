import type { Redis } from 'ioredis';
import * as z from 'zod/mini';
import { type KeptDeliveries, KeptDelivery, type KeptQuery } from '#model/kept-delivery.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';
import { runScript } from '#redis/script.ts';
import { KEEP_DELIVERY } from '#redis/scripts/keep-delivery.ts';

/**
 * Deliveries in Redis. What strangers sent has a pool of its own: however much of it there is, it pushes nothing out
 * that an authenticated sender sent.
 */
export function createKeptDeliveries(redis: Redis, { prefix }: { readonly prefix: string }): KeptDeliveries {
  const keys = createKeys(prefix).kept;

  async function poolsOf(source: string | undefined): Promise<readonly string[]> {
    if (source !== undefined) return [keys.pool(source, 'known'), keys.pool(source, 'strangers')];
    return redisCall('list pools of deliveries', redis.smembers(keys.pools));
  }

  async function idsIn(pool: string, { since, until, limit }: KeptQuery): Promise<readonly string[]> {
    const [from, to] = [String(since?.getTime() ?? '-inf'), String(until?.getTime() ?? '+inf')];
    const members = await redisCall(
      'list deliveries',
      redis.zrange(pool, to, from, 'BYSCORE', 'REV', 'LIMIT', 0, limit),
    );
    return members.map((member) => member.slice(0, member.lastIndexOf(':')));
  }

  return {
    async keep(delivery, { most, bytes, ageMs }) {
      const { id, source, result, at } = delivery;
      const pool = keys.pool(source, result === 'unauthenticated' || result === 'unavailable' ? 'strangers' : 'known');
      await runScript(
        redis,
        KEEP_DELIVERY,
        [keys.entry(id), pool, keys.pools],
        [id, JSON.stringify(delivery), Date.parse(at), ageMs, most, bytes, keys.entry('')],
      );
    },
    async get(id) {
      const text = await redisCall('read delivery', redis.get(keys.entry(id)));
      return text === null ? undefined : parse(text);
    },
    async list(query) {
      const pools = await poolsOf(query.source);
      const ids = (await Promise.all(pools.map((pool) => idsIn(pool, query)))).flat();
      const newest = ids.sort().reverse().slice(0, query.limit);
      if (newest.length === 0) return [];
      const texts = await redisCall('read deliveries', redis.mget(newest.map((id) => keys.entry(id))));
      return texts.flatMap((text) => (text === null ? [] : (parse(text) ?? [])));
    },
  };
}

function parse(text: string): KeptDelivery | undefined {
  try {
    const parsed = z.safeParse(KeptDelivery, JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
