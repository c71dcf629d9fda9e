import type { Reason } from '#model/verdict.ts';
import { type Conditions, compileConditions } from '#policy/conditions/condition-blocks.ts';
import { ConditionBlock } from '#policy/dialects/kyverno-cluster-policy/schema.ts';
import { unsupported } from '#policy/unsupported.ts';

/** Names of attestations, each with the predicate that it is bound to. */
export type Bindings = Map<string, unknown>;

/** Conditions under which the tool refuses an image whose evidence is good (interop specification B.7). */
export interface Deny {
  /** Why the image is refused; undefined when it is not. @throws AppError `policy-unsupported`. */
  evaluate(bindings: Bindings): Reason | undefined;
}

const SHOWN = 200;

/** @throws AppError `policy-unsupported` for any other form than blocks of `any` and `all`. */
export function compileDeny(deny: unknown, clause: string, message: string | undefined): Deny {
  const block = ConditionBlock.safeParse(conditionsOf(deny));
  if (!block.success) throw unsupported('this form of validate.deny', 'write conditions with any and all');
  const { any, all } = block.data;
  const conditions: Conditions = compileConditions(
    [{ any: any?.map(plain), all: all?.map(plain) }],
    `${clause}.conditions`,
  );
  return {
    evaluate(bindings) {
      const unmet = conditions.evaluate(Object.fromEntries(bindings));
      // What comes of a variable that is not there is another question here than in the conditions of an attestation.
      const [unresolved] = unmet.filter(({ code }) => code === 'condition-unresolved');
      if (unresolved) throw unsupported(`a variable of validate.deny that cannot be resolved (${unresolved.clause})`);
      if (unmet.length > 0) return undefined;
      const why = message ? `: ${message.slice(0, SHOWN)}` : '';
      return {
        code: 'denied',
        message: `the evidence is good, and the policy denies the image${why}`,
        clause,
        next: 'see the conditions of validate.deny: all of them hold for this image',
      };
    },
  };
}

type Condition = NonNullable<NonNullable<ConditionBlock['any']>[number]>;

function plain({ key, operator, value, message }: Condition) {
  return { key, value, operator: operator ?? undefined, message: message ?? undefined };
}

function conditionsOf(deny: unknown): unknown {
  if (typeof deny !== 'object' || deny === null || !Object.hasOwn(deny, 'conditions')) return undefined;
  return Reflect.get(deny, 'conditions');
}
