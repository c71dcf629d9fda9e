import type { Redis } from 'ioredis';
import { isDigest } from '#model/digest.ts';
import type { TagNames } from '#model/removal.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';
import { type RedisScript, runScript } from '#redis/script.ts';

/** As long as the history of an image, since the last push to the repository. */
const TTL_MS = 400 * 24 * 3_600_000;

/** Of one digest the newest time stays: what was learned by an older event is no older for it. */
const NOTE_TAG_NAME: RedisScript = {
  name: 'attestryNoteTagName',
  keys: 1,
  lua: `
local names, tag, digest, at, ttl = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local before = redis.call('HGET', names, tag) or ''
local known, time = string.match(before, '^(%S+) (%d+)$')
if known == digest and tonumber(time) > tonumber(at) then at = time end
redis.call('HSET', names, tag, digest .. ' ' .. at)
redis.call('PEXPIRE', names, ttl)
return 1
`,
};

/** A push that was noted between the look and this stays. */
const DROP_TAG_NAME: RedisScript = {
  name: 'attestryDropTagName',
  keys: 1,
  lua: `
local before = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if string.match(before, '^(%S+) ') ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
`,
};

/** What tags were last seen to name, over all workers. */
export function createTagNames(redis: Redis, { prefix }: { readonly prefix: string }): TagNames {
  const { tagNames } = createKeys(prefix);
  return {
    async note(repository, tag, { digest, at }) {
      await runScript(redis, NOTE_TAG_NAME, [tagNames(repository)], [tag, digest, at.getTime(), TTL_MS]);
    },
    async named(repository, tag) {
      const text = await redisCall('look for tag', redis.hget(tagNames(repository), tag));
      const [digest, at] = text?.split(' ') ?? [];
      return isDigest(digest) ? { digest, at: new Date(Number(at)) } : undefined;
    },
    async drop(repository, tag, digest) {
      await runScript(redis, DROP_TAG_NAME, [tagNames(repository)], [tag, digest]);
    },
  };
}
