import type { CompiledPolicy } from '#policy/policy.ts';

/**
 * One policy that holds where one of several does: for evidence that may be of one maker or another. It is called as the
 * first of them, and fails as that one does.
 */
export function anyPolicy(first: CompiledPolicy, others: readonly CompiledPolicy[]): CompiledPolicy {
  const { identity, emulates } = first;
  return {
    identity,
    emulates,
    needs(image, digest) {
      const needs = [first, ...others].map((policy) => policy.needs(image, digest));
      return {
        locations: needs.flatMap(({ locations }) => locations),
        signatures: needs.flatMap(({ signatures = [] }) => signatures),
        bundles: needs.flatMap(({ bundles = [] }) => bundles),
      };
    },
    evaluate(input) {
      const verdict = first.evaluate(input);
      if (verdict.outcome === 'pass') return verdict;
      const better = others.map((policy) => policy.evaluate(input)).find(({ outcome }) => outcome === 'pass');
      return better ? { ...better, policy: identity } : verdict;
    },
  };
}
