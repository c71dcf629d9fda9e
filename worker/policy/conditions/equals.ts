import { commonDurations } from '#policy/conditions/common-durations.ts';
import { deepEqual } from '#policy/conditions/deep-equal.ts';
import { goParseFloat } from '#policy/conditions/go-format.ts';
import { parseQuantity } from '#policy/conditions/quantity.ts';
import { wildcardMatches } from '#policy/matching/wildcard.ts';
import { unsupported } from '#policy/unsupported.ts';

/** A wildcard match costs at most the product of the two lengths. */
const MAX_WORK = 200_000_000;

/**
 * Kyverno's `Equals` (interop specification B.7, K.6). The key decides how the two are compared; a text that reads as a
 * duration or a quantity is compared as one and never as a pattern. Undefined: the types do not fit.
 */
function compareEqual(key: unknown, value: unknown): boolean | undefined {
  if (typeof key === 'boolean') return typeof value === 'boolean' ? key === value : undefined;
  if (typeof key === 'number') return numberEquals(key, value);
  if (typeof key === 'string') return textEquals(key, value);
  if (Array.isArray(key)) return Array.isArray(value) ? deepEqual(key, value) : undefined;
  if (!isMap(key) || !isMap(value)) return undefined;
  return deepEqual(key, value);
}

export function equals(key: unknown, value: unknown): boolean {
  return compareEqual(key, value) ?? false;
}

/** The negation, but a null key is false as well (K.6, 107). */
export function notEquals(key: unknown, value: unknown): boolean {
  if (key === null || key === undefined) return false;
  return !(compareEqual(key, value) ?? false);
}

function numberEquals(key: number, value: unknown): boolean | undefined {
  if (typeof value === 'number') return key === value;
  return typeof value === 'string' ? goParseFloat(value) === key : undefined;
}

function textEquals(key: string, value: unknown): boolean | undefined {
  const durations = commonDurations(key, value);
  if (durations) return durations.key === durations.value;
  if (typeof value !== 'string') return undefined;
  const quantity = parseQuantity(key);
  if (quantity !== undefined) return quantity === parseQuantity(value);
  if (value.length * key.length > MAX_WORK) throw unsupported('a pattern and a text as long as these');
  return wildcardMatches(value, key);
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
