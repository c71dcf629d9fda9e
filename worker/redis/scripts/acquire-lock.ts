import type { RedisScript } from '#redis/script.ts';

/**
 * Taking the lock and giving out its fence is one step, so that a fence is never given out for a lock that another
 * holds. A fence is at least the server's time in microseconds: it grows even when the server lost its data, and a
 * holder from before never meets its own number again. Answers the fence, or -1 and the milliseconds that the present
 * lease still has.
 */
export const ACQUIRE_LOCK: RedisScript = {
  name: 'attestryAcquireLock',
  keys: 2,
  lua: `
local lock, fence, lease, keep = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
if redis.call('EXISTS', lock) == 1 then
  return {'-1', tostring(redis.call('PTTL', lock))}
end
local time = redis.call('TIME')
local next = tonumber(time[1]) * 1000000 + tonumber(time[2])
local last = tonumber(redis.call('GET', fence) or '0')
if next <= last then next = last + 1 end
local token = string.format('%.0f', next)
redis.call('SET', fence, token, 'PX', keep)
redis.call('SET', lock, token, 'PX', lease)
return {token, '0'}
`,
};
