import type { RedisScript } from '#redis/script.ts';

/**
 * Takes a place in two sorted sets, or in neither: KEYS[1] holds at most ARGV[3] running jobs, KEYS[2] at most ARGV[4].
 * ARGV[1] names the job, ARGV[2] is its lease in milliseconds; the places of workers that died run out. The same job
 * again prolongs its lease. Answers 1 when it has them.
 */
export const TAKE_SLOTS: RedisScript = {
  name: 'attestryTakeSlots',
  keys: 2,
  lua: `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
for at, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))
  local mine = redis.call('ZSCORE', key, ARGV[1])
  if not mine and redis.call('ZCARD', key) >= tonumber(ARGV[2 + at]) then return 0 end
end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
  redis.call('PEXPIRE', key, ARGV[2])
end
return 1
`,
};
