import type { RedisScript } from '#redis/script.ts';

/**
 * Asks whether a registry may be called: not while it asked for a pause (KEYS[1]), not while its breaker (KEYS[2]) is
 * open. ARGV[1] is for how long this call alone tries a registry again whose rest is over, milliseconds; 0 only looks.
 * Answers 0 go, 1 paused, 2 resting; milliseconds; and failures in a row. Time is the server's.
 */
export const ADMIT_CALL: RedisScript = {
  name: 'attestryAdmitCall',
  keys: 2,
  lua: `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local pause = tonumber(redis.call('GET', KEYS[1]) or '0')
if pause > now then return {1, pause - now, 0} end
local breaker = redis.call('HMGET', KEYS[2], 'failures', 'until', 'probe')
local failures = tonumber(breaker[1] or '0')
local untilAt = tonumber(breaker[2] or '0')
if untilAt == 0 then return {0, 0, failures} end
if untilAt > now then return {2, untilAt - now, failures} end
local probe = tonumber(breaker[3] or '0')
if probe > now then return {2, math.min(probe - now, 1000), failures} end
if tonumber(ARGV[1]) > 0 then redis.call('HSET', KEYS[2], 'probe', string.format('%.0f', now + tonumber(ARGV[1]))) end
return {0, 0, failures}
`,
};
