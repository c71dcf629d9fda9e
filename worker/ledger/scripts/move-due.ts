import type { RedisScript } from '#redis/script.ts';

/** Defers an item only when its time is still the one that was read: a check that ended meanwhile has set a later one. */
export const MOVE_DUE: RedisScript = {
  name: 'attestryMoveDue',
  keys: 1,
  lua: `
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
return 1
`,
};
