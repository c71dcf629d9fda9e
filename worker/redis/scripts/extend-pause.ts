import type { RedisScript } from '#redis/script.ts';

/**
 * A later end wins over an earlier one, whichever worker heard it last; and no answer of a registry may stop us for
 * longer than the bound. Time is the server's, so that workers with wrong clocks agree.
 */
export const EXTEND_PAUSE: RedisScript = {
  name: 'attestryExtendPause',
  keys: 1,
  lua: `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local wanted = math.min(tonumber(ARGV[1]), now + tonumber(ARGV[2]))
local present = tonumber(redis.call('GET', KEYS[1]) or '0')
if wanted <= now or wanted <= present then return 0 end
local text = string.format('%.0f', wanted)
redis.call('SET', KEYS[1], text, 'PXAT', text)
return 1
`,
};
