import { durationSeconds, parseGoDuration, secondsToNanoseconds } from '#policy/conditions/duration.ts';

/**
 * Both sides in seconds, when one of them is a duration text (`0` alone is not) and the other is one too or a number of
 * seconds. Kyverno tries this before anything else, since a duration is the one type that compares with another.
 */
export function commonDurations(key: unknown, value: unknown): { key: number; value: number } | undefined {
  const keyText = durationText(key);
  const valueText = durationText(value);
  if (keyText === undefined && valueText === undefined) return undefined;
  const left = keyText ?? durationNumber(key);
  const right = valueText ?? durationNumber(value);
  if (left === undefined || right === undefined) return undefined;
  return { key: durationSeconds(left), value: durationSeconds(right) };
}

function durationText(side: unknown): bigint | undefined {
  return typeof side === 'string' && side !== '0' ? parseGoDuration(side) : undefined;
}

function durationNumber(side: unknown): bigint | undefined {
  return typeof side === 'number' ? secondsToNanoseconds(side) : undefined;
}
