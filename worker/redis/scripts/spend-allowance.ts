import type { RedisScript } from '#redis/script.ts';

/**
 * Takes an amount from an allowance that is filled anew when its window has ended; 0 when there was enough of it, else
 * the milliseconds until it is full again, and nothing is taken. The first amount begins the window.
 */
export const SPEND_ALLOWANCE: RedisScript = {
  name: 'attestrySpendAllowance',
  keys: 1,
  lua: `
local spent = tonumber(redis.call('GET', KEYS[1]) or '0')
if spent + tonumber(ARGV[1]) > tonumber(ARGV[2]) then
  return math.max(redis.call('PTTL', KEYS[1]), 1)
end
redis.call('INCRBY', KEYS[1], ARGV[1])
if spent == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 0
`,
};
