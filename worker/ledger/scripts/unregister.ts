import type { RedisScript } from '#redis/script.ts';

/**
 * Removes a note unless it was made anew since it was read, for then there is something new behind it; nor when it is
 * younger than the given age in microseconds, for then what it announces may still be on its way.
 */
export const UNREGISTER: RedisScript = {
  name: 'attestryUnregister',
  keys: 1,
  lua: `
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
if tonumber(time[1]) * 1000000 + tonumber(time[2]) - tonumber(score) < tonumber(ARGV[3]) then return 0 end
return redis.call('ZREM', KEYS[1], ARGV[1])
`,
};
