import type { FunctionEntry } from '#policy/jmespath/arguments.ts';
import { ExpressionFailure, failed } from '#policy/jmespath/failure.ts';
import { type FunctionTable, interpret } from '#policy/jmespath/interpret.ts';
import { KYVERNO_FUNCTIONS } from '#policy/jmespath/kyverno-functions.ts';
import { KYVERNO_TEXT_FUNCTIONS } from '#policy/jmespath/kyverno-text-functions.ts';
import { type ExpressionNode, nodesOf, parseExpression } from '#policy/jmespath/parse-expression.ts';
import { STANDARD_FUNCTIONS } from '#policy/jmespath/standard-functions.ts';
import { unsupported } from '#policy/unsupported.ts';

const FUNCTIONS: Readonly<Record<string, FunctionEntry>> = {
  ...STANDARD_FUNCTIONS,
  ...KYVERNO_FUNCTIONS,
  ...KYVERNO_TEXT_FUNCTIONS,
};

const TABLE: FunctionTable = {
  call(name, args) {
    const entry = entryOf(name);
    if (entry.variadic ? args.length < entry.arity : args.length !== entry.arity) {
      throw failed(`${name} takes ${entry.arity} arguments, not ${args.length}`);
    }
    return entry.call(args);
  },
};

/** What an expression gives, or why it gives nothing: Kyverno fails the check then, it never takes it for false. */
export type Resolution =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string };

/**
 * Parses an expression and looks at every function that it calls.
 * @throws AppError `policy-unsupported` naming the function or form.
 */
export function compileExpression(text: string): ExpressionNode {
  const node = parseExpression(text);
  for (const each of nodesOf(node)) if (each.type === 'Function') entryOf(each.name);
  return node;
}

/** @throws AppError `policy-unsupported` when only the data shows that a form is not supported. */
export function resolveExpression(node: ExpressionNode, document: unknown): Resolution {
  try {
    return { ok: true, value: interpret(node, document, TABLE) };
  } catch (error) {
    if (error instanceof ExpressionFailure) return { ok: false, problem: error.message };
    throw error;
  }
}

function entryOf(name: string): FunctionEntry {
  const entry = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (entry) return entry;
  throw unsupported(`the function ${name.slice(0, 60)}() in an expression`);
}
