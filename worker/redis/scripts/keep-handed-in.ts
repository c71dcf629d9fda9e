import type { RedisScript } from '#redis/script.ts';

/** Keeps one more entry of a hash unless it is full; 1 when it is kept, or was there. Each sets the clock back. */
export const KEEP_HANDED_IN: RedisScript = {
  name: 'attestryKeepHandedIn',
  keys: 1,
  lua: `
local known = redis.call('HEXISTS', KEYS[1], ARGV[1])
if known == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
if known == 0 then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`,
};
