import type { RedisScript } from '#redis/script.ts';

/**
 * Moves an image from one outcome's counter to another's. The revision orders two workers that recorded at the same
 * time and come here in the other order; repeating it changes nothing, so a record after a crash puts the count right.
 * An empty outcome takes the image out.
 */
export const COUNT_IMAGE: RedisScript = {
  name: 'attestryCountImage',
  keys: 2,
  lua: `
local worst, counts, image, revision, outcome = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local known = redis.call('HGET', worst, image)
local knownRevision, knownOutcome = -1, ''
if known then
  local colon = string.find(known, ':', 1, true)
  knownRevision, knownOutcome = tonumber(string.sub(known, 1, colon - 1)), string.sub(known, colon + 1)
end
if revision < knownRevision then return 0 end
if outcome == '' then
  redis.call('HDEL', worst, image)
else
  redis.call('HSET', worst, image, ARGV[2] .. ':' .. outcome)
end
if knownOutcome ~= outcome then
  if knownOutcome ~= '' then redis.call('HINCRBY', counts, knownOutcome, -1) end
  if outcome ~= '' then redis.call('HINCRBY', counts, outcome, 1) end
end
return 1
`,
};
