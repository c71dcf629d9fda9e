import type { RedisScript } from '#redis/script.ts';

/**
 * Notes that a source spoke: `last`, `first` and `count`; `usual` is its longest silence, of which half is forgotten in
 * two weeks, so that a weekend counts and last year's outage does not.
 */
export const NOTE_HEARD: RedisScript = {
  name: 'attestryNoteHeard',
  keys: 1,
  lua: `
local now = tonumber(ARGV[1])
local last = tonumber(redis.call('HGET', KEYS[1], 'last') or now)
local usual = tonumber(redis.call('HGET', KEYS[1], 'usual') or 0)
local gap = math.max(now - last, 0)
usual = math.max(gap, math.floor(usual * 0.5 ^ (gap / 1209600000)))
redis.call('HSETNX', KEYS[1], 'first', now)
redis.call('HINCRBY', KEYS[1], 'count', 1)
redis.call('HSET', KEYS[1], 'last', math.max(now, last), 'usual', usual)
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'lag', ARGV[2]) end
return 1
`,
};
