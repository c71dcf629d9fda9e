import type { Reason } from '#model/verdict.ts';
import { OPERATORS, type Operator } from '#policy/conditions/operators.ts';
import { compileTemplate, type Template } from '#policy/conditions/template.ts';
import { unsupported } from '#policy/unsupported.ts';

/** One condition as a policy writes it. */
export interface ConditionSource {
  readonly key?: unknown;
  readonly operator?: string | undefined;
  readonly value?: unknown;
  readonly message?: string | undefined;
}

/** A block of conditions: one of `any` and every one of `all`, as far as they are given. */
export interface ConditionBlock {
  readonly any?: readonly ConditionSource[] | undefined;
  readonly all?: readonly ConditionSource[] | undefined;
}

/** Compiled conditions of an attestation. */
export interface Conditions {
  /**
   * Why a predicate does not meet them; nothing when it does.
   * @throws AppError `policy-unsupported`.
   */
  evaluate(predicate: Readonly<Record<string, unknown>>): readonly Reason[];
}

interface Condition {
  readonly clause: string;
  readonly key: Template;
  readonly value: Template;
  readonly operator: Operator;
  readonly operatorName: string;
  readonly message: string | undefined;
}

interface Block {
  readonly clause: string;
  readonly any: readonly Condition[] | undefined;
  readonly all: readonly Condition[];
}

type Check = { readonly ok: true } | { readonly ok: false; readonly reason: Reason };

const SHOWN = 200;

/**
 * Compiles the conditions of a policy (interop specification B.7).
 * @param clause Where they stand, e.g. `…attestations[0].conditions`.
 * @param names Variables of the policy that are no members of the predicate.
 * @throws AppError `policy-unsupported` naming the condition.
 */
export function compileConditions(
  blocks: readonly ConditionBlock[],
  clause: string,
  names: readonly string[] = [],
): Conditions {
  const compiled = blocks.map((block, index): Block => {
    const at = `${clause}[${index}]`;
    const list = (kind: 'any' | 'all') =>
      block[kind]?.map((source, position) => compileCondition(source, `${at}.${kind}[${position}]`, names));
    // An empty list of alternatives is as good as none: the resource definition drops it.
    return { clause: at, any: block.any?.length === 0 ? undefined : list('any'), all: list('all') ?? [] };
  });
  return {
    evaluate(predicate) {
      // Every variable is substituted before anything is compared, so that one that cannot be resolved fails it all,
      // an alternative that would hold beside it too (interop specification K.6, 120).
      const checks = new Map<Condition, Check>();
      for (const { any = [], all } of compiled) {
        for (const condition of [...any, ...all]) checks.set(condition, check(condition, predicate));
      }
      const unresolved = [...checks.values()].flatMap((each) => (each.ok ? [] : [each.reason]));
      const first = unresolved.filter(({ code }) => code === 'condition-unresolved');
      if (first.length > 0) return first;
      return compiled.flatMap(({ any, all }) => [
        ...(any === undefined || any.some((each) => checks.get(each)?.ok) ? [] : reasonsOf(any, checks)),
        ...reasonsOf(all, checks),
      ]);
    },
  };
}

function compileCondition(source: ConditionSource, clause: string, names: readonly string[]): Condition {
  const operatorName = source.operator ?? '';
  const operator = Object.hasOwn(OPERATORS, operatorName) ? OPERATORS[operatorName] : undefined;
  if (!operator) throw unsupported(`the operator ${JSON.stringify(operatorName.slice(0, 40))} at ${clause}`);
  return {
    clause,
    key: compileTemplate(source.key, names),
    value: compileTemplate(source.value, names),
    operator,
    operatorName,
    message: source.message,
  };
}

function check(condition: Condition, predicate: unknown): Check {
  const { clause, operatorName, message } = condition;
  const key = condition.key.resolve(predicate);
  const value = key.ok ? condition.value.resolve(predicate) : key;
  if (!key.ok || !value.ok) {
    const problem = !key.ok ? key.problem : !value.ok ? value.problem : '';
    return {
      ok: false,
      reason: {
        code: 'condition-unresolved',
        message: `a variable of the condition cannot be resolved: ${problem}`,
        clause,
        next: "correct the path, or give a default: {{ path || '' }}",
      },
    };
  }
  if (condition.operator(key.value, value.value)) return { ok: true };
  return {
    ok: false,
    reason: {
      code: 'condition-failed',
      message: message ? `a condition is not met: ${message.slice(0, SHOWN)}` : 'a condition is not met',
      clause,
      wanted: `${operatorName} ${shown(value.value)}`,
      found: shown(key.value),
    },
  };
}

function reasonsOf(conditions: readonly Condition[], checks: ReadonlyMap<Condition, Check>): readonly Reason[] {
  return conditions.flatMap((condition) => {
    const each = checks.get(condition);
    return each && !each.ok ? [each.reason] : [];
  });
}

function shown(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null')).slice(0, SHOWN);
}
