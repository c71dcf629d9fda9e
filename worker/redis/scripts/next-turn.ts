import type { RedisScript } from '#redis/script.ts';

/**
 * The place of a new job in its lane (start-time fair queueing): one behind the last of its own party (ARGV[1], in the
 * hash KEYS[2]), and not before the job that is next in line (KEYS[1], the queue's sorted set of waiting jobs). So the
 * parties take turns, however many jobs each has. Places begin anew when nobody waits; ARGV[2] is the last there is.
 */
export const NEXT_TURN: RedisScript = {
  name: 'attestryNextTurn',
  keys: 2,
  lua: `
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local present = 1
if #first == 0 then redis.call('DEL', KEYS[2]) else present = math.floor(tonumber(first[2]) / 0x100000000) end
local last = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')
local place = math.min(math.max(present, last + 1), tonumber(ARGV[2]))
redis.call('HSET', KEYS[2], ARGV[1], place)
redis.call('PEXPIRE', KEYS[2], 7 * 86400000)
return place
`,
};
