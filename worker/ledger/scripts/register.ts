import type { RedisScript } from '#redis/script.ts';

/**
 * Notes an image in an index under the server's time in microseconds, always forward: two workers with different clocks
 * would otherwise take each other's note for an old one.
 */
export const REGISTER: RedisScript = {
  name: 'attestryRegister',
  keys: 1,
  lua: `
local time = redis.call('TIME')
local score = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
redis.call('ZADD', KEYS[1], score, ARGV[1])
return score
`,
};
