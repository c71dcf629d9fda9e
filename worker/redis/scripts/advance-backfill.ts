import type { RedisScript } from '#redis/script.ts';

/**
 * Notes a step of the backfill (KEYS[1]) with the id ARGV[1], which went from the position ARGV[2]: names and numbers
 * follow. A step that another worker has noted meanwhile counts once. Answers 1 when it was noted.
 */
export const ADVANCE_BACKFILL: RedisScript = {
  name: 'attestryAdvanceBackfill',
  keys: 1,
  lua: `
local text = redis.call('HGET', KEYS[1], 'backfill')
if not text or cjson.decode(text).id ~= ARGV[1] then return 0 end
if tonumber(redis.call('HGET', KEYS[1], 'position') or '0') ~= tonumber(ARGV[2]) then return 0 end
for at = 3, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[at], ARGV[at + 1]) end
return 1
`,
};
