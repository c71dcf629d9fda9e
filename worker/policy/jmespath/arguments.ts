import { failed } from '#policy/jmespath/failure.ts';
import type { Argument } from '#policy/jmespath/interpret.ts';

/** One function: its arguments were counted, its own code checks their types. */
export interface FunctionEntry {
  /** How many arguments; `variadic` takes that many or more. */
  readonly arity: number;
  readonly variadic?: true;
  call(args: readonly Argument[]): unknown;
}

export function valueAt(args: readonly Argument[], index: number): unknown {
  const arg = args[index];
  if (arg && 'value' in arg) return arg.value ?? null;
  throw failed(`argument ${index + 1} is not a value`);
}

export function textAt(args: readonly Argument[], index: number): string {
  const value = valueAt(args, index);
  if (typeof value === 'string') return value;
  throw failed(`argument ${index + 1} is not a text`);
}

export function numberAt(args: readonly Argument[], index: number): number {
  const value = valueAt(args, index);
  if (typeof value === 'number') return value;
  throw failed(`argument ${index + 1} is not a number`);
}

export function listAt(args: readonly Argument[], index: number): readonly unknown[] {
  const value = valueAt(args, index);
  if (Array.isArray(value)) return value;
  throw failed(`argument ${index + 1} is not a list`);
}

export function mapAt(args: readonly Argument[], index: number): Readonly<Record<string, unknown>> {
  const value = valueAt(args, index);
  if (isMap(value)) return value;
  throw failed(`argument ${index + 1} is not an object`);
}

export function expressionAt(args: readonly Argument[], index: number): (element: unknown) => unknown {
  const arg = args[index];
  if (arg && 'apply' in arg) return arg.apply;
  throw failed(`argument ${index + 1} is not an expression reference`);
}

/** A list of texts or a list of numbers. */
export function comparableListAt(args: readonly Argument[], index: number): readonly (string | number)[] {
  const list = listAt(args, index);
  const kind = typeof list[0];
  const uniform = (kind === 'string' || kind === 'number') && list.every((element) => typeof element === kind);
  if (list.length === 0 || uniform) return list.filter(isComparable);
  throw failed(`argument ${index + 1} is not a list of texts or of numbers`);
}

export function isComparable(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
