import type { RedisScript } from '#redis/script.ts';

/**
 * Counts one more and answers how many there were in the window that ends now, from two counters: the present window's
 * in full, and of the one before the part that still overlaps. Two numbers a repository, however many pushes. One step,
 * so that two producers at the same moment see each other.
 */
export const COUNT_IN_WINDOW: RedisScript = {
  name: 'attestryCountInWindow',
  keys: 1,
  lua: `
local window = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local bucket = math.floor(now / window)
local counts = redis.call('HMGET', KEYS[1], 'bucket', 'count', 'before')
local last, count, before = tonumber(counts[1] or '-1'), tonumber(counts[2] or '0'), tonumber(counts[3] or '0')
if last ~= bucket then
  before = (last == bucket - 1) and count or 0
  count = 0
end
count = count + 1
redis.call('HSET', KEYS[1], 'bucket', string.format('%.0f', bucket), 'count', count, 'before', before)
redis.call('PEXPIRE', KEYS[1], window * 2)
local overlap = 1 - (now - bucket * window) / window
return math.floor(count + before * overlap)
`,
};
