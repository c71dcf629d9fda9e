import type { RedisScript } from '#redis/script.ts';

/** The oldest notes of an index that are older than the given age in microseconds, with the time they were made. */
export const LIST_REGISTERED: RedisScript = {
  name: 'attestryListRegistered',
  keys: 1,
  lua: `
local time = redis.call('TIME')
local before = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]) - tonumber(ARGV[1]))
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', before, 'WITHSCORES', 'LIMIT', 0, ARGV[2])
`,
};
