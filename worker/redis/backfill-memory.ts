import { gunzipSync, gzipSync } from 'node:zlib';
import type { Redis } from 'ioredis';
import * as z from 'zod/mini';
import {
  BACKFILL_COUNTS,
  Backfill,
  BackfillChunk,
  type BackfillMemory,
  type BackfillProgress,
  BackfillSample,
} from '#model/backfill.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';
import { runScript } from '#redis/script.ts';
import { ADVANCE_BACKFILL } from '#redis/scripts/advance-backfill.ts';
import { CHANGE_BACKFILL } from '#redis/scripts/change-backfill.ts';

const MOST_SAMPLES = 200;
const MAX_CHUNK_BYTES = 16 * 1024 * 1024;
/** A plan that nobody decided on, or a backfill that ended, is forgotten. */
const TTL_MS = 90 * 24 * 3_600_000;

/** What attesting images took lately, newest first. */
export interface BackfillSamples {
  add(sample: BackfillSample): Promise<void>;
  list(): Promise<readonly BackfillSample[]>;
}

/**
 * The plan is a list of packed chunks, some ten bytes a tag; jobs are made of it in small windows. A plan under another
 * id leaves the one that is there until it is whole.
 */
export function createBackfillMemory(redis: Redis, { prefix }: { readonly prefix: string }): BackfillMemory {
  const { backfill: keys } = createKeys(prefix);

  return {
    async current() {
      const fields = await redisCall('read backfill', redis.hgetall(keys.state));
      const backfill = parse(Backfill, fields.backfill);
      if (!backfill) return undefined;
      const progress = Object.fromEntries(BACKFILL_COUNTS.map((name) => [name, Number(fields[name] ?? 0)]));
      return { ...backfill, progress: progress as unknown as BackfillProgress };
    },
    async plan(backfill, chunks) {
      const list = keys.chunks(backfill.id);
      let images = 0;
      for await (const chunk of chunks) {
        images += chunk.tags.length;
        await redisCall('keep plan', redis.rpush(list, gzipSync(JSON.stringify(chunk))));
        await redisCall('keep plan', redis.pexpire(list, TTL_MS));
      }
      const text = JSON.stringify({ ...backfill, images });
      const args = ['', 'planned,done,canceled', text, TTL_MS];
      const taken = await runScript(redis, CHANGE_BACKFILL, [keys.state], args);
      if (taken !== 1) await redisCall('drop plan', redis.del(list));
      return taken === 1;
    },
    async change(id, from, change) {
      const present = parse(Backfill, (await redisCall('read backfill', redis.hget(keys.state, 'backfill'))) ?? '');
      if (present?.id !== id) return false;
      const text = JSON.stringify({ ...present, ...change });
      return (await runScript(redis, CHANGE_BACKFILL, [keys.state], [id, from.join(','), text, TTL_MS])) === 1;
    },
    async chunk(id, at) {
      const packed = await redisCall('read plan', redis.lindexBuffer(keys.chunks(id), at));
      if (packed === null) return undefined;
      return parse(BackfillChunk, gunzipSync(packed, { maxOutputLength: MAX_CHUNK_BYTES }).toString('utf8'));
    },
    async count(id, counts) {
      const present = parse(Backfill, (await redisCall('read backfill', redis.hget(keys.state, 'backfill'))) ?? '');
      if (present?.id !== id) return;
      const multi = redis.multi();
      for (const [name, by] of Object.entries(counts)) if (by) multi.hincrby(keys.state, name, by);
      await redisCall('count backfill', multi.exec());
    },
    async advance(id, from, counts) {
      const args = [id, from, ...Object.entries(counts).flat()];
      return (await runScript(redis, ADVANCE_BACKFILL, [keys.state], args)) === 1;
    },
    async hold(token, ms) {
      if ((await redisCall('hold backfill', redis.set(keys.holder, token, 'PX', ms, 'NX'))) === 'OK') return true;
      if ((await redisCall('hold backfill', redis.get(keys.holder))) !== token) return false;
      await redisCall('hold backfill', redis.pexpire(keys.holder, ms));
      return true;
    },
  };
}

export function createBackfillSamples(redis: Redis, { prefix }: { readonly prefix: string }): BackfillSamples {
  const { backfill: keys } = createKeys(prefix);
  return {
    async add(sample) {
      const kept = redis
        .multi()
        .lpush(keys.samples, JSON.stringify(sample))
        .ltrim(keys.samples, 0, MOST_SAMPLES - 1);
      await redisCall('keep sample', kept.exec());
    },
    async list() {
      const texts = await redisCall('read samples', redis.lrange(keys.samples, 0, MOST_SAMPLES - 1));
      return texts.flatMap((text) => parse(BackfillSample, text) ?? []);
    },
  };
}

function parse<Schema extends z.ZodMiniType>(schema: Schema, text: string | undefined): z.infer<Schema> | undefined {
  try {
    const parsed = z.safeParse(schema, JSON.parse(text ?? ''));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
