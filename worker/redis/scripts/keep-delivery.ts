import type { RedisScript } from '#redis/script.ts';

/**
 * Keeps a delivery under its own key, which ends by itself, and in the list of its pool; then lets the oldest of the
 * pool go until count, bytes and age are within bounds. A member of the list is `id:bytes`, so that nothing is read to
 * count it.
 */
export const KEEP_DELIVERY: RedisScript = {
  name: 'attestryKeepDelivery',
  keys: 3,
  lua: `
local entry, pool, pools = KEYS[1], KEYS[2], KEYS[3]
local id, text, at, age = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local most, limit, prefix = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
redis.call('SET', entry, text, 'PX', age)
redis.call('ZADD', pool, at, id .. ':' .. #text)
redis.call('PEXPIRE', pool, age)
redis.call('SADD', pools, pool)
redis.call('PEXPIRE', pools, age)
redis.call('ZREMRANGEBYSCORE', pool, '-inf', at - age)
local members = redis.call('ZREVRANGE', pool, 0, -1)
local total = 0
for index, member in ipairs(members) do
  local name, size = string.match(member, '^(.*):(%d+)$')
  total = total + tonumber(size)
  if index > most or (total > limit and index > 1) then
    redis.call('ZREM', pool, member)
    redis.call('DEL', prefix .. name)
  end
end
return 1
`,
};
