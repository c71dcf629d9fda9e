import { commonDurations } from '#policy/conditions/common-durations.ts';
import { parseGoDuration, secondsToNanoseconds } from '#policy/conditions/duration.ts';
import { goParseFloat } from '#policy/conditions/go-format.ts';
import { parseQuantity } from '#policy/conditions/quantity.ts';
import { compareVersions, parseVersion } from '#policy/conditions/semver.ts';

/** What a comparison operator asks of the order of key and value. */
export type Order = 'greater' | 'greater-or-equal' | 'less' | 'less-or-equal';

/**
 * Kyverno's `GreaterThan` family (interop specification B.7): durations first, then quantities, then floats, then
 * versions. What fits none of them is not comparable, and so not met.
 */
export function compares(key: unknown, value: unknown, order: Order): boolean {
  if (typeof key === 'number') return compareNumber(key, value, order);
  return typeof key === 'string' && compareText(key, value, order);
}

/** The deprecated `Duration…` operators: both sides must be durations; numbers count as seconds. */
export function comparesDurations(key: unknown, value: unknown, order: Order): boolean {
  const left = durationOf(key);
  const right = durationOf(value);
  return left !== undefined && right !== undefined && ordered(left, right, order);
}

function compareNumber(key: number, value: unknown, order: Order): boolean {
  if (typeof value === 'number') return ordered(key, value, order);
  if (typeof value !== 'string') return false;
  const durations = commonDurations(key, value);
  if (durations) return ordered(durations.key, durations.value, order);
  const number = goParseFloat(value);
  return number !== undefined && ordered(key, number, order);
}

function compareText(key: string, value: unknown, order: Order): boolean {
  const durations = commonDurations(key, value);
  if (durations) return ordered(durations.key, durations.value, order);
  const quantity = parseQuantity(key);
  const other = typeof value === 'string' ? parseQuantity(value) : undefined;
  if (quantity !== undefined && other !== undefined) return ordered(quantity, other, order);
  const number = goParseFloat(key);
  if (number !== undefined) return compareNumber(number, value, order);
  const version = parseVersion(key);
  const otherVersion = typeof value === 'string' ? parseVersion(value) : undefined;
  if (version === undefined || otherVersion === undefined) return false;
  return ordered(compareVersions(version, otherVersion), 0, order);
}

function durationOf(side: unknown): bigint | undefined {
  if (typeof side === 'number') return secondsToNanoseconds(side);
  return typeof side === 'string' ? parseGoDuration(side) : undefined;
}

/** Compared directly and not by difference: no order admits NaN, and infinities are equal. */
function ordered<Side extends number | bigint>(left: Side, right: Side, order: Order): boolean {
  switch (order) {
    case 'greater':
      return left > right;
    case 'greater-or-equal':
      return left >= right;
    case 'less':
      return left < right;
    case 'less-or-equal':
      return left <= right;
  }
}
