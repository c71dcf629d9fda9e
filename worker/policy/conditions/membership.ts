import { goSprint } from '#policy/conditions/go-format.ts';
import { isInRange, isOutsideRange, parseRange } from '#policy/conditions/range.ts';
import { wildcardMatches } from '#policy/matching/wildcard.ts';
import { unsupported } from '#policy/unsupported.ts';

const MAX_WORK = 200_000_000;

export type Membership = 'any-in' | 'all-in' | 'any-not-in' | 'all-not-in';

/**
 * Kyverno's `AnyIn`, `AllIn`, `AnyNotIn`, `AllNotIn` (interop specification B.7): both sides as texts, wildcards in both
 * directions, a text value may be a JSON list or a range. Sides that do not fit are "not met", for the negated
 * operators too.
 */
export function isMember(key: unknown, value: unknown, membership: Membership): boolean {
  const negated = membership === 'any-not-in' || membership === 'all-not-in';
  if (Array.isArray(key)) return setIsMember(key.map(goSprint), value, membership) ?? false;
  if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'boolean') return false;
  const found = scalarIsMember(goSprint(key), value);
  return found === undefined ? false : found !== negated;
}

function scalarIsMember(key: string, value: unknown): boolean | undefined {
  if (Array.isArray(value)) return listIncludes(value, key);
  if (typeof value !== 'string') return undefined;
  boundWork([key], [value]);
  if (wildcardMatches(value, key)) return true;
  const range = parseRange(value);
  if (range) return isInRange(key, range);
  return textList(value)?.includes(key);
}

function setIsMember(keys: readonly string[], value: unknown, membership: Membership): boolean | undefined {
  if (typeof value === 'string') {
    if (keys.length === 1 && keys[0] === value) return membership === 'any-in' || membership === 'all-in';
    const range = parseRange(value);
    if (range) return setInRange(keys, range, membership);
  }
  const values = valueTexts(value, membership);
  if (!values) return undefined;
  boundWork(keys, values);
  const isIn = (key: string) => values.some((each) => matchesEitherWay(key, each));
  switch (membership) {
    case 'any-in':
      return keys.some(isIn);
    case 'all-in':
      return keys.every(isIn);
    case 'any-not-in':
      return keys.some((key) => !isIn(key));
    case 'all-not-in':
      return !keys.some(isIn);
  }
}

function setInRange(
  keys: readonly string[],
  range: { readonly low: string; readonly high: string },
  membership: Membership,
): boolean {
  switch (membership) {
    case 'any-in':
      return keys.some((key) => isInRange(key, range));
    case 'all-in':
      return keys.every((key) => isInRange(key, range));
    case 'any-not-in':
      return keys.some((key) => isOutsideRange(key, range));
    case 'all-not-in':
      return !keys.some((key) => isInRange(key, range));
  }
}

function valueTexts(value: unknown, membership: Membership): readonly string[] | undefined {
  if (Array.isArray(value)) return value.map(goSprint);
  if (typeof value === 'string') return textList(value);
  const scalar = typeof value === 'number' || typeof value === 'boolean';
  return scalar && (membership === 'any-in' || membership === 'any-not-in') ? [goSprint(value)] : undefined;
}

/** The deprecated `In` and `NotIn`: no ranges, and a list key is compared literally. */
export function isInList(key: unknown, value: unknown, negated: boolean): boolean {
  if (Array.isArray(key)) return setIsInList(key, value, negated) ?? false;
  if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'boolean') return false;
  const text = goSprint(key);
  const found = Array.isArray(value)
    ? listIncludes(value, text)
    : typeof value === 'string'
      ? wildcardMatches(value, text) || jsonTextList(value)?.includes(text)
      : undefined;
  return found === undefined ? false : found !== negated;
}

function setIsInList(keys: readonly unknown[], value: unknown, negated: boolean): boolean | undefined {
  const texts = keys.map((key) => {
    if (typeof key === 'string') return key;
    throw unsupported('In and NotIn with a list that holds other things than texts', 'use AnyIn or AllIn');
  });
  if (typeof value === 'string' && texts.length === 1 && texts[0] === value) return true;
  const values = typeof value === 'string' ? jsonTextList(value) : listOfTexts(value);
  if (!values) return undefined;
  const allIn = texts.every((text) => values.includes(text));
  return negated ? !allIn : allIn;
}

function listIncludes(list: readonly unknown[], key: string): boolean {
  const values = list.map(goSprint);
  boundWork([key], values);
  return values.some((value) => matchesEitherWay(key, value));
}

/**
 * Each wildcard match costs at most the product of the two lengths, so all of them together the product of the sums:
 * a predicate may hold megabytes of patterns.
 */
function boundWork(keys: readonly string[], values: readonly string[]): void {
  const total = (texts: readonly string[]) => texts.reduce((sum, text) => sum + text.length + 1, 0);
  if (total(keys) * total(values) > MAX_WORK) throw unsupported('a comparison of lists as large as these');
}

function matchesEitherWay(key: string, value: string): boolean {
  return wildcardMatches(value, key) || wildcardMatches(key, value);
}

/** A text value: a JSON list of texts, or itself when it is no JSON at all. */
function textList(value: string): readonly string[] | undefined {
  return isJson(value) ? jsonTextList(value) : [value];
}

function jsonTextList(value: string): readonly string[] | undefined {
  if (!isJson(value)) return undefined;
  const parsed: unknown = JSON.parse(value);
  if (parsed === null) return [];
  return Array.isArray(parsed) ? listOfTexts(parsed.map((element) => element ?? '')) : undefined;
}

function listOfTexts(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.every((element): element is string => typeof element === 'string') ? value : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
