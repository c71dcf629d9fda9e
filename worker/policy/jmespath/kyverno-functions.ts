import { createHash } from 'node:crypto';
import { deepEqual } from '#policy/conditions/deep-equal.ts';
import { parseGoDuration } from '#policy/conditions/duration.ts';
import { parseQuantity } from '#policy/conditions/quantity.ts';
import { type FunctionEntry, isMap, listAt, mapAt, numberAt, textAt, valueAt } from '#policy/jmespath/arguments.ts';
import { failed } from '#policy/jmespath/failure.ts';
import type { Argument } from '#policy/jmespath/interpret.ts';
import { versionInRange } from '#policy/jmespath/version-range.ts';
import { wildcardMatches } from '#policy/matching/wildcard.ts';
import { unsupported } from '#policy/unsupported.ts';

/**
 * Kyverno's own functions that are pure and whose Go semantics carry over exactly (interop specification B.7). The
 * others are unsupported by name: clocks and randomness, replacing by RE2 expressions, YAML, X.509, DNS.
 */
export const KYVERNO_FUNCTIONS: Readonly<Record<string, FunctionEntry>> = {
  compare: { arity: 2, call: (args) => order(textAt(args, 0), textAt(args, 1)) },
  equal_fold: { arity: 2, call: (args) => lower(textAt(args, 0)) === lower(textAt(args, 1)) },
  replace: { arity: 4, call: (args) => replace(textAt(args, 0), textAt(args, 1), textAt(args, 2), numberAt(args, 3)) },
  replace_all: { arity: 3, call: (args) => replace(textAt(args, 0), textAt(args, 1), textAt(args, 2), -1) },
  to_upper: { arity: 1, call: (args) => ascii(textAt(args, 0)).toUpperCase() },
  to_lower: { arity: 1, call: (args) => lower(textAt(args, 0)) },
  trim: { arity: 2, call: (args) => trim(textAt(args, 0), textAt(args, 1)) },
  trim_prefix: { arity: 2, call: (args) => trimPrefix(textAt(args, 0), textAt(args, 1)) },
  split: { arity: 2, call: (args) => split(textAt(args, 0), textAt(args, 1)) },
  truncate: { arity: 2, call: (args) => truncate(textAt(args, 0), numberAt(args, 1)) },
  pattern_match: { arity: 2, call: (args) => wildcardMatches(textAt(args, 0), textAt(args, 1)) },
  label_match: { arity: 2, call: (args) => labelMatch(mapAt(args, 0), mapAt(args, 1)) },
  to_boolean: { arity: 1, call: (args) => toBoolean(textAt(args, 0)) },
  base64_encode: { arity: 1, call: (args) => Buffer.from(textAt(args, 0)).toString('base64') },
  base64_decode: { arity: 1, call: (args) => base64Decode(textAt(args, 0)) },
  semver_compare: { arity: 2, call: (args) => versionInRange(textAt(args, 0), textAt(args, 1)) },
  parse_json: { arity: 1, call: (args) => parseJson(textAt(args, 0)) },
  lookup: { arity: 2, call: (args) => lookup(valueAt(args, 0), valueAt(args, 1)) },
  items: { arity: 3, call: (args) => items(valueAt(args, 0), textAt(args, 1), textAt(args, 2)) },
  object_from_lists: { arity: 2, call: (args) => objectFromLists(listAt(args, 0), listAt(args, 1)) },
  sha256: { arity: 1, call: (args) => hash('sha256', textAt(args, 0)) },
  sha1: { arity: 1, call: (args) => hash('sha1', textAt(args, 0)) },
  md5: { arity: 1, call: (args) => hash('md5', textAt(args, 0)) },
  add: { arity: 2, call: (args) => scalar(args, 0) + scalar(args, 1) },
  subtract: { arity: 2, call: (args) => scalar(args, 0) - scalar(args, 1) },
  multiply: { arity: 2, call: (args) => scalar(args, 0) * scalar(args, 1) },
  divide: { arity: 2, call: (args) => scalar(args, 0) / divisor(args) },
  modulo: { arity: 2, call: (args) => whole(scalar(args, 0)) % whole(divisor(args)) },
  sum: { arity: 1, call: (args) => sum(listAt(args, 0)) },
};

function order(a: string, b: string): number {
  const difference = Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Math.sign(difference);
}

/** Go and JavaScript fold the case of other letters differently. */
function ascii(text: string): string {
  if (/^\p{ASCII}*$/u.test(text)) return text;
  throw unsupported('changing the case of letters beyond ASCII');
}

function lower(text: string): string {
  return ascii(text).toLowerCase();
}

function replace(text: string, old: string, by: string, count: number): string {
  if (old === '') throw unsupported('replacing the empty text');
  if (!Number.isInteger(count)) throw failed('argument 4 is not a whole number');
  const parts = text.split(old);
  const times = count < 0 ? parts.length - 1 : Math.min(count, parts.length - 1);
  return [parts.slice(0, times + 1).join(by), ...parts.slice(times + 1)].join(old);
}

function trim(text: string, cutset: string): string {
  const cut = new Set(cutset);
  const characters = Array.from(text);
  const start = characters.findIndex((character) => !cut.has(character));
  const end = characters.findLastIndex((character) => !cut.has(character));
  return start < 0 ? '' : characters.slice(start, end + 1).join('');
}

function trimPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

function split(text: string, separator: string): readonly string[] {
  return separator === '' ? Array.from(text) : text.split(separator);
}

function truncate(text: string, length: number): string {
  return Array.from(text)
    .slice(0, Math.max(0, Math.trunc(length)))
    .join('');
}

function labelMatch(wanted: Readonly<Record<string, unknown>>, given: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(given, name) && deepEqual(given[name], value));
}

function toBoolean(text: string): boolean {
  const lowered = lower(text);
  if (lowered === 'true' || lowered === 'false') return lowered === 'true';
  throw failed('argument 1 is neither "true" nor "false"');
}

function base64Decode(text: string): string {
  const joined = text.replace(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(joined)) {
    throw failed('argument 1 is not base64');
  }
  return Buffer.from(joined, 'base64').toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw failed('argument 1 is not JSON');
  }
}

function lookup(searched: unknown, key: unknown): unknown {
  if (Array.isArray(searched)) {
    if (typeof key !== 'number' || !Number.isInteger(key)) throw failed('argument 2 is not a whole number');
    return key < 0 ? null : (searched[key] ?? null);
  }
  if (!isMap(searched)) throw failed('argument 1 is neither an object nor a list');
  if (typeof key !== 'string') throw failed('argument 2 is not a text');
  return Object.hasOwn(searched, key) ? searched[key] : null;
}

function items(searched: unknown, keyName: string, valueName: string): readonly unknown[] {
  if (Array.isArray(searched)) return searched.map((value, index) => ({ [keyName]: index, [valueName]: value }));
  if (!isMap(searched)) throw failed('argument 1 is neither an object nor a list');
  return Object.keys(searched)
    .sort(order)
    .map((key) => ({ [keyName]: key, [valueName]: searched[key] }));
}

function objectFromLists(keys: readonly unknown[], values: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(
    keys.map((key, index) => {
      if (typeof key === 'string' || typeof key === 'boolean') return [String(key), values[index] ?? null];
      if (typeof key === 'number') throw unsupported('object_from_lists with numbers as keys');
      throw failed('argument 1 is not a list of texts');
    }),
  );
}

function hash(algorithm: 'sha256' | 'sha1' | 'md5', text: string): string {
  return createHash(algorithm).update(text).digest('hex');
}

/** Kyverno also calculates with durations and quantities; we do with numbers. */
function scalar(args: readonly Argument[], index: number): number {
  return asNumber(valueAt(args, index), index);
}

function asNumber(value: unknown, index: number): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && (parseGoDuration(value) !== undefined || parseQuantity(value) !== undefined)) {
    throw unsupported('arithmetic with durations and quantities');
  }
  throw failed(`argument ${index + 1} is not a number`);
}

function divisor(args: readonly Argument[]): number {
  const value = scalar(args, 1);
  if (value === 0) throw failed('a division by zero');
  return value;
}

function whole(value: number): number {
  if (Number.isInteger(value)) return value;
  throw failed('modulo of a number that is not whole');
}

function sum(list: readonly unknown[]): number {
  if (list.length === 0) throw failed('the sum of an empty list');
  return list.map(asNumber).reduce((total, each) => total + each, 0);
}
