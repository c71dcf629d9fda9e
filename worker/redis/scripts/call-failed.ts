import type { RedisScript } from '#redis/script.ts';

/**
 * Counts a failure of a registry and opens its breaker (KEYS[1]) when there were ARGV[1] in a row, or when it failed the
 * try after a rest. A rest lasts ARGV[2] milliseconds and doubles each time, up to ARGV[3]. Answers whether it was closed
 * before, the rest, and since when it is open.
 */
export const CALL_FAILED: RedisScript = {
  name: 'attestryCallFailed',
  keys: 1,
  lua: `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
local untilAt = tonumber(redis.call('HGET', KEYS[1], 'until') or '0')
redis.call('PEXPIRE', KEYS[1], 4 * tonumber(ARGV[3]) + 60000)
-- Calls that were under way when it opened say nothing new.
if untilAt > now or (untilAt == 0 and failures < tonumber(ARGV[1])) then return {0, 0, 0} end
local opens = tonumber(redis.call('HGET', KEYS[1], 'opens') or '0')
local rest = math.min(tonumber(ARGV[2]) * 2 ^ math.min(opens, 20), tonumber(ARGV[3]))
redis.call('HSETNX', KEYS[1], 'since', string.format('%.0f', now))
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + rest), 'opens', opens + 1)
redis.call('HDEL', KEYS[1], 'probe')
return {untilAt == 0 and 1 or 0, math.floor(rest), tonumber(redis.call('HGET', KEYS[1], 'since'))}
`,
};
