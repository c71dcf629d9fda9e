import { goParseFloat } from '#policy/conditions/go-format.ts';
import {
  comparableListAt,
  expressionAt,
  type FunctionEntry,
  isComparable,
  isMap,
  listAt,
  mapAt,
  numberAt,
  textAt,
  valueAt,
} from '#policy/jmespath/arguments.ts';
import { failed } from '#policy/jmespath/failure.ts';

/** The functions of the JMESPath specification, as far as Kyverno leaves them as they are. */
export const STANDARD_FUNCTIONS: Readonly<Record<string, FunctionEntry>> = {
  abs: { arity: 1, call: (args) => Math.abs(numberAt(args, 0)) },
  ceil: { arity: 1, call: (args) => Math.ceil(numberAt(args, 0)) },
  floor: { arity: 1, call: (args) => Math.floor(numberAt(args, 0)) },
  length: { arity: 1, call: (args) => lengthOf(valueAt(args, 0)) },
  contains: { arity: 2, call: (args) => contains(valueAt(args, 0), valueAt(args, 1)) },
  starts_with: { arity: 2, call: (args) => textAt(args, 0).startsWith(textAt(args, 1)) },
  ends_with: { arity: 2, call: (args) => textAt(args, 0).endsWith(textAt(args, 1)) },
  join: { arity: 2, call: (args) => textsOf(listAt(args, 1)).join(textAt(args, 0)) },
  keys: { arity: 1, call: (args) => Object.keys(mapAt(args, 0)) },
  values: { arity: 1, call: (args) => Object.values(mapAt(args, 0)) },
  merge: { arity: 1, variadic: true, call: (args) => Object.assign({}, ...args.map((_, index) => mapAt(args, index))) },
  max: { arity: 1, call: (args) => extreme(comparableListAt(args, 0), (a, b) => a > b) },
  min: { arity: 1, call: (args) => extreme(comparableListAt(args, 0), (a, b) => a < b) },
  sort: { arity: 1, call: (args) => [...comparableListAt(args, 0)].sort(ascending) },
  max_by: { arity: 2, call: (args) => extremeBy(listAt(args, 0), expressionAt(args, 1), (a, b) => a > b) },
  min_by: { arity: 2, call: (args) => extremeBy(listAt(args, 0), expressionAt(args, 1), (a, b) => a < b) },
  sort_by: { arity: 2, call: (args) => sortBy(listAt(args, 0), expressionAt(args, 1)) },
  map: { arity: 2, call: (args) => listAt(args, 1).map(expressionAt(args, 0)) },
  not_null: {
    arity: 1,
    variadic: true,
    call: (args) => args.map((_, index) => valueAt(args, index)).find((value) => value !== null) ?? null,
  },
  reverse: { arity: 1, call: (args) => reverse(valueAt(args, 0)) },
  to_array: { arity: 1, call: (args) => toArray(valueAt(args, 0)) },
  to_string: { arity: 1, call: (args) => toText(valueAt(args, 0)) },
  to_number: { arity: 1, call: (args) => toNumber(valueAt(args, 0)) },
  type: { arity: 1, call: (args) => typeName(valueAt(args, 0)) },
};

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Array.from(value).length;
  if (Array.isArray(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  throw failed('argument 1 has no length');
}

/** Elements are compared as scalars: Go cannot compare lists and objects this way. */
function contains(searched: unknown, element: unknown): boolean {
  if (typeof searched === 'string') return typeof element === 'string' && searched.includes(element);
  if (!Array.isArray(searched)) throw failed('argument 1 is neither a list nor a text');
  if (typeof element === 'object' && element !== null) throw failed('argument 2 is not a scalar');
  return searched.includes(element);
}

function textsOf(list: readonly unknown[]): readonly string[] {
  const texts = list.filter((element): element is string => typeof element === 'string');
  if (texts.length === list.length) return texts;
  throw failed('argument 2 is not a list of texts');
}

function extreme(
  list: readonly (string | number)[],
  better: (a: string | number, b: string | number) => boolean,
): string | number | null {
  return list.reduce<string | number | null>((best, each) => (best === null || better(each, best) ? each : best), null);
}

function extremeBy(
  list: readonly unknown[],
  keyOf: (element: unknown) => unknown,
  better: (a: string | number, b: string | number) => boolean,
): unknown {
  if (list.length < 2) return list[0] ?? null;
  const [first, ...rest] = keyed(list, keyOf);
  return rest.reduce((best, each) => (best && better(each.key, best.key) ? each : best), first)?.element ?? null;
}

function sortBy(list: readonly unknown[], keyOf: (element: unknown) => unknown): readonly unknown[] {
  if (list.length < 2) return list;
  return keyed(list, keyOf)
    .sort((a, b) => ascending(a.key, b.key))
    .map(({ element }) => element);
}

function keyed(list: readonly unknown[], keyOf: (element: unknown) => unknown) {
  let kind: string | undefined;
  return list.map((element) => {
    const key = keyOf(element);
    kind ??= typeof key;
    if (isComparable(key) && typeof key === kind) return { key, element };
    throw failed('the keys are neither all texts nor all numbers');
  });
}

function ascending(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function reverse(value: unknown): unknown {
  if (typeof value === 'string') return Array.from(value).reverse().join('');
  if (Array.isArray(value)) return [...value].reverse();
  throw failed('argument 1 is neither a list nor a text');
}

function toArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function toNumber(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? (goParseFloat(value) ?? null) : null;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'object' ? 'object' : typeof value;
}
