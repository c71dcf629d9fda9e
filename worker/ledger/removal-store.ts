import type { Redis } from 'ioredis';
import { NOTE_REMOVAL } from '#ledger/scripts/note-removal.ts';
import { parseRemoval } from '#ledger/stored-records.ts';
import { type RemovalRecord, removalField } from '#model/removal.ts';
import type { Keys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';
import { runScript } from '#redis/script.ts';

/** As long as the history of an image that was forgotten. */
const KEEP_MS = 400 * 24 * 3_600_000;
/** Tags of one image whose loss is remembered. */
const MOST = 500;

/** Removals beside the states of an image: they outlive these. */
export function createRemovalStore(redis: Redis, keys: Keys): RemovalRecord {
  return {
    async noteRemoval(image, removal) {
      const args = [removalField(removal), JSON.stringify(removal), MOST, KEEP_MS];
      return (await runScript(redis, NOTE_REMOVAL, [keys.image(image).removals], args)) === 1;
    },
    async removals(image) {
      const texts = await redisCall('read removals', redis.hvals(keys.image(image).removals));
      const found = texts.flatMap((text) => parseRemoval(text) ?? []);
      return found.sort((a, b) => (a.at < b.at ? 1 : -1));
    },
    async noteReturn(image, tag) {
      const fields = ['deleted', ...(tag === undefined ? [] : [removalField({ kind: 'untagged', tag })])];
      await redisCall('note return', redis.hdel(keys.image(image).removals, ...fields));
    },
  };
}
