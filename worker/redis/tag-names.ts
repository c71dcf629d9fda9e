import type { Redis } from 'ioredis';
import { isDigest } from '#model/digest.ts';
import type { TagNames } from '#model/removal.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';
import { type RedisScript, runScript } from '#redis/script.ts';

/** As long as the history of an image, since the last push to the repository. */
const TTL_MS = 400 * 24 * 3_600_000;

const NOTE_TAG_NAME: RedisScript = {
  name: 'attestryNoteTagName',
  keys: 1,
  lua: `
local before = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return before
`,
};

/** A push that was noted between the look and this stays. */
const DROP_TAG_NAME: RedisScript = {
  name: 'attestryDropTagName',
  keys: 1,
  lua: `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
`,
};

/** What tags were last seen to name, over all workers. */
export function createTagNames(redis: Redis, { prefix }: { readonly prefix: string }): TagNames {
  const { tagNames } = createKeys(prefix);
  return {
    async note(repository, tag, digest) {
      const before = await runScript(redis, NOTE_TAG_NAME, [tagNames(repository)], [tag, digest, TTL_MS]);
      return isDigest(before) ? before : undefined;
    },
    async named(repository, tag) {
      const digest = await redisCall('look for tag', redis.hget(tagNames(repository), tag));
      return isDigest(digest) ? digest : undefined;
    },
    async drop(repository, tag, digest) {
      await runScript(redis, DROP_TAG_NAME, [tagNames(repository)], [tag, digest]);
    },
  };
}
