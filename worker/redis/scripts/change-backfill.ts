import type { RedisScript } from '#redis/script.ts';

/**
 * Writes the backfill (KEYS[1]) as ARGV[3], when the one that is there has the id ARGV[1] and one of the states ARGV[2];
 * without an id it is a new one, whose counts begin at nothing. Answers 1 when it was written.
 */
export const CHANGE_BACKFILL: RedisScript = {
  name: 'attestryChangeBackfill',
  keys: 1,
  lua: `
local text = redis.call('HGET', KEYS[1], 'backfill')
if text then
  local present = cjson.decode(text)
  if ARGV[1] ~= '' and present.id ~= ARGV[1] then return 0 end
  if not string.find(',' .. ARGV[2] .. ',', ',' .. present.state .. ',', 1, true) then return 0 end
elseif ARGV[1] ~= '' then
  return 0
end
if ARGV[1] == '' then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'backfill', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`,
};
