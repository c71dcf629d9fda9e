import type { RedisScript } from '#redis/script.ts';

/**
 * Reserves the next place in a row of requests that are ARGV[1] microseconds apart, ARGV[2] of them at once after a
 * quiet time (generic cell rate algorithm). Answers the milliseconds until that place.
 */
export const RESERVE_TURN: RedisScript = {
  name: 'attestryReserveTurn',
  keys: 1,
  lua: `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local apart = tonumber(ARGV[1])
local at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now - apart * (tonumber(ARGV[2]) - 1))
local wait = math.max(at - now, 0)
redis.call('SET', KEYS[1], string.format('%.0f', at + apart), 'PX', math.ceil((wait + apart) / 1000) + 60000)
return math.ceil(wait / 1000)
`,
};
