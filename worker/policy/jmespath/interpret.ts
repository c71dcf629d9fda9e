import { deepEqual } from '#policy/conditions/deep-equal.ts';
import { ExpressionFailure, failed } from '#policy/jmespath/failure.ts';
import type { ExpressionNode } from '#policy/jmespath/parse-expression.ts';
import { sliceOf } from '#policy/jmespath/slice.ts';
import { unsupported } from '#policy/unsupported.ts';

/** An argument of a function: a value, or an expression that the function evaluates itself. */
export type Argument = { readonly value: unknown } | { readonly apply: (element: unknown) => unknown };

export interface FunctionTable {
  /** @throws ExpressionFailure when the function errs, AppError `policy-unsupported` when it is not supported. */
  call(name: string, args: readonly Argument[]): unknown;
}

/** Nodes visited in one evaluation: filters over large lists stay far below, nested projections over them do not. */
const MAX_STEPS = 2_000_000;

/**
 * Evaluates an expression over a JSON document by Kyverno's dialect of JMESPath: a member that an object lacks is an
 * error, which `||`, `&&`, `!`, comparisons, function arguments, pipes and projections turn into null.
 * @throws ExpressionFailure, or AppError `policy-unsupported`.
 */
export function interpret(node: ExpressionNode, document: unknown, functions: FunctionTable): unknown {
  let steps = 0;

  function run(at: ExpressionNode, value: unknown): unknown {
    if (++steps > MAX_STEPS) throw unsupported('an expression that takes so many steps on this predicate');
    switch (at.type) {
      case 'Field':
        return member(value, at.name);
      case 'Index':
        return Array.isArray(value) ? (value.at(at.value) ?? null) : null;
      case 'Slice':
        return Array.isArray(value) ? sliceOf(value, at) : null;
      case 'Identity':
      case 'Current':
        return value;
      case 'Literal':
        return at.value;
      case 'Subexpression':
      case 'IndexExpression':
        return run(at.right, run(at.left, value));
      case 'Pipe':
        return lenient(at.right, lenient(at.left, value));
      case 'OrExpression': {
        const left = lenient(at.left, value);
        return isFalse(left) ? lenient(at.right, value) : left;
      }
      case 'AndExpression': {
        const left = lenient(at.left, value);
        return isFalse(left) ? left : run(at.right, value);
      }
      case 'NotExpression':
        return isFalse(lenient(at.child, value));
      case 'Comparator':
        return compare(at.name, lenient(at.left, value), lenient(at.right, value));
      case 'MultiSelectList':
        return value === null ? null : at.children.map((child) => lenient(child, value));
      case 'MultiSelectHash':
        return value === null
          ? null
          : Object.fromEntries(at.children.map((pair) => [pair.name, lenient(pair.value, value)]));
      case 'Flatten': {
        const list = swallowing(() => run(at.child, value));
        return Array.isArray(list) ? list.flat() : null;
      }
      case 'Projection':
        return project(lenient(at.left, value), at.right);
      case 'FilterProjection': {
        const list = swallowing(() => run(at.left, value));
        if (!Array.isArray(list)) return null;
        return project(
          list.filter((element) => !isFalse(lenient(at.condition, element))),
          at.right,
        );
      }
      case 'ValueProjection': {
        const map = swallowing(() => run(at.left, value));
        return isMap(map) ? project(Object.values(map), at.right) : null;
      }
      case 'Function':
        return functions.call(
          at.name,
          at.children.map((child) => argument(child, value)),
        );
      case 'ExpressionReference':
        throw failed('an expression reference stands outside of a function');
      case 'Arithmetic':
      case 'Unary':
      case 'Ternary':
      case 'LetExpression':
      case 'Binding':
      case 'Variable':
      case 'Root':
        throw unsupported(`${at.type} in an expression`);
    }
  }

  function argument(child: ExpressionNode, value: unknown): Argument {
    if (child.type === 'ExpressionReference') return { apply: (element) => lenient(child.child, element) };
    return { value: lenient(child, value) };
  }

  function project(list: unknown, right: ExpressionNode): unknown {
    if (!Array.isArray(list)) return null;
    return list.map((element) => lenient(right, element)).filter((each) => each !== null);
  }

  function lenient(at: ExpressionNode, value: unknown): unknown {
    try {
      return run(at, value);
    } catch (error) {
      if (error instanceof ExpressionFailure && error.kind === 'not-found') return null;
      throw error;
    }
  }

  return run(node, document);
}

/** Flattening and filtering take any failure on their left for "nothing there". */
function swallowing(evaluate: () => unknown): unknown {
  try {
    return evaluate();
  } catch (error) {
    if (error instanceof ExpressionFailure) return null;
    throw error;
  }
}

function member(value: unknown, name: string): unknown {
  if (!isMap(value)) return null;
  if (Object.hasOwn(value, name)) return value[name];
  throw new ExpressionFailure('not-found', `unknown key ${JSON.stringify(name.slice(0, 80))} in path`);
}

/** JMESPath's false values: null, false and what is empty. */
export function isFalse(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isMap(value) && Object.keys(value).length === 0;
}

function compare(name: 'EQ' | 'NE' | 'GT' | 'GTE' | 'LT' | 'LTE', left: unknown, right: unknown): boolean | null {
  if (name === 'EQ') return deepEqual(left, right);
  if (name === 'NE') return !deepEqual(left, right);
  if (typeof left !== 'number' || typeof right !== 'number') return null;
  switch (name) {
    case 'GT':
      return left > right;
    case 'GTE':
      return left >= right;
    case 'LT':
      return left < right;
    case 'LTE':
      return left <= right;
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
