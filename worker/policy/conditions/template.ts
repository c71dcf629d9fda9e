import { compileExpression, type Resolution, resolveExpression } from '#policy/jmespath/kyverno-dialect.ts';
import type { ExpressionNode } from '#policy/jmespath/parse-expression.ts';
import { rootUse } from '#policy/jmespath/root-names.ts';
import { unsupported } from '#policy/unsupported.ts';

/** `{{ … }}` with at most one level of braces inside, as Kyverno finds variables. */
const VARIABLE = /\{\{(?:\{[^{}]*\}|[^{}])*\}\}/g;

/** One side of a condition, with its variables compiled; resolved over one predicate. */
export interface Template {
  resolve(predicate: unknown): Resolution;
}

/**
 * Members of the document that do not come from the predicate but from the admission request. Whether a predicate
 * shadows them depends on the request, which is not there.
 */
const CONTEXT_NAMES: readonly string[] = [
  'element',
  'elementIndex',
  'image',
  'images',
  'request',
  'serviceAccountName',
  'serviceAccountNamespace',
  'target',
];

/**
 * Compiles one side of a condition: a scalar, list or object whose texts may hold variables.
 * @param names Further variables of the policy (context entries, names of attestations).
 * @throws AppError `policy-unsupported`.
 */
export function compileTemplate(side: unknown, names: readonly string[]): Template {
  const compiled = compileSide(side, [...CONTEXT_NAMES, ...names]);
  return {
    resolve(predicate) {
      const resolution = compiled(predicate);
      if (resolution.ok) refuseNested(resolution.value);
      return resolution;
    },
  };
}

type Resolver = (predicate: unknown) => Resolution;

function compileSide(side: unknown, names: readonly string[]): Resolver {
  if (typeof side === 'string') return compileText(side, names);
  if (Array.isArray(side)) return all(side.map((element) => compileSide(element, names)));
  if (typeof side !== 'object' || side === null) return () => ({ ok: true, value: side ?? null });
  const keys = Object.keys(side);
  for (const key of keys) if (hasVariable(key)) throw unsupported('a variable in the name of a member');
  const values = all(Object.values(side).map((value: unknown) => compileSide(value, names)));
  return (predicate) => {
    const resolved = values(predicate);
    if (!resolved.ok || !Array.isArray(resolved.value)) return resolved;
    const list: readonly unknown[] = resolved.value;
    return { ok: true, value: Object.fromEntries(keys.map((key, index) => [key, list[index]])) };
  };
}

function all(resolvers: readonly Resolver[]): Resolver {
  return (predicate) => {
    const values: unknown[] = [];
    for (const resolve of resolvers) {
      const resolution = resolve(predicate);
      if (!resolution.ok) return resolution;
      values.push(resolution.value);
    }
    return { ok: true, value: values };
  };
}

function compileText(text: string, names: readonly string[]): Resolver {
  if (text.includes('$(')) throw unsupported(`the reference $(…) in ${JSON.stringify(text.slice(0, 80))}`);
  if (text.includes('\\{{')) throw unsupported(`the escaped braces in ${JSON.stringify(text.slice(0, 80))}`);
  if (!hasVariable(text)) return () => ({ ok: true, value: text });
  const literals = text.split(VARIABLE);
  if (literals.some((literal) => /\{\{|\}\}/.test(literal))) {
    throw unsupported(`the nested braces in ${JSON.stringify(text.slice(0, 80))}`);
  }
  const expressions = (text.match(VARIABLE) ?? []).map((variable) => compileVariable(variable, names));
  const [only] = expressions;
  if (only && expressions.length === 1 && literals.every((literal) => literal === '')) {
    return (predicate) => resolveExpression(only, predicate);
  }
  const values = all(expressions.map((expression) => (predicate) => resolveExpression(expression, predicate)));
  return (predicate) => {
    const resolved = values(predicate);
    if (!resolved.ok || !Array.isArray(resolved.value)) return resolved;
    const texts: readonly string[] = resolved.value.map(asText);
    // The parts are looked at one by one as well: two of them together could form a variable.
    for (const part of texts) refuseNested(part);
    return { ok: true, value: literals.map((literal, index) => `${literal}${texts[index] ?? ''}`).join('') };
  };
}

function compileVariable(variable: string, names: readonly string[]): ExpressionNode {
  const expression = variable.slice(2, -2).trim();
  const shown = JSON.stringify(expression.slice(0, 80));
  if (expression === '' || expression.startsWith('-')) throw unsupported(`the variable ${shown}`);
  const node = compileExpression(expression);
  const use = rootUse(node);
  if (use.whole) throw unsupported(`the whole context (@ or *) in ${shown}`);
  const foreign = names.find((name) => use.names.has(name));
  if (foreign !== undefined) throw unsupported(`the context variable "${foreign}" in ${shown}`);
  return node;
}

function hasVariable(text: string): boolean {
  return text.search(VARIABLE) >= 0;
}

/**
 * Kyverno substitutes twice, so that a predicate can bring variables of its own into a condition. We do not evaluate
 * what a predicate says, and do not guess what would come of it.
 */
function refuseNested(value: unknown): void {
  if (typeof value === 'string') {
    if (value.includes('$(') || value.includes('\\{{') || hasVariable(value)) {
      throw unsupported('a predicate whose text holds variables or references of its own');
    }
  } else if (Array.isArray(value)) {
    for (const element of value) refuseNested(element);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      refuseNested(name);
      refuseNested(member);
    }
  }
}

/** How Go writes a value into a text: JSON with `<`, `>` and `&` escaped. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value ?? null).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
