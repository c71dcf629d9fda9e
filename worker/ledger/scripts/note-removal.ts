import type { RedisScript } from '#redis/script.ts';

/**
 * Notes a removal under its field, unless it is there already: what was learned first stays. An image has a few tags;
 * whoever makes up thousands gets no room for them.
 */
export const NOTE_REMOVAL: RedisScript = {
  name: 'attestryNoteRemoval',
  keys: 1,
  lua: `
local removals, field, removal, most, keep = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
redis.call('PEXPIRE', removals, keep)
if redis.call('HEXISTS', removals, field) == 1 then return 0 end
if field ~= 'deleted' and redis.call('HLEN', removals) >= most then return 0 end
redis.call('HSET', removals, field, removal)
redis.call('PEXPIRE', removals, keep)
return 1
`,
};
