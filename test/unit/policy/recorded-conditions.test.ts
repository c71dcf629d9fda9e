import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { compileConditions } from '#policy/conditions/condition-blocks.ts';
import { conditionCases } from '../../support/recorded-verdicts.ts';

/** What is left to be named as not supported: context variables, and functions of clocks. */
const NOT_JUDGED: readonly string[] = [
  '{{ dash-name }}',
  '{{ images.containers }}',
  '{{ images.containers.c0.name }}',
  '{{ images.containers.c0.path }}',
  '{{ request.object.metadata.name }}',
  '{{ request.operation }}',
  "{{ time_since('', time, time_now_utc()) }}",
  '{{ no_such_function(text) }}',
];

test('the recorded conditions are all there', () => {
  assert.equal(conditionCases().flatMap(({ checks }) => checks).length, 189);
});

for (const { id, predicates, checks } of conditionCases()) {
  for (const [index, { conditions, outcome }] of checks.entries()) {
    const shown = JSON.stringify(conditions);
    const judged = !NOT_JUDGED.some((key) => shown.includes(JSON.stringify(key)));
    // Operators that Kyverno's resource definition does not know: the policy is refused, its conditions never judged.
    test(`${id} ${index}: ${shown.slice(0, 120)} ${judged ? outcome : 'is not supported'}`, () => {
      assert.ok(predicates.length > 0);
      if (!judged || outcome === 'error') {
        assert.throws(() => judge(conditions, predicates), isUnsupported);
      } else {
        assert.equal(judge(conditions, predicates), outcome);
      }
    });
  }
}

function judge(conditions: readonly object[], predicates: readonly Record<string, unknown>[]): 'pass' | 'fail' {
  const compiled = compileConditions(conditions, 'conditions');
  return predicates.every((predicate) => compiled.evaluate(predicate).length === 0) ? 'pass' : 'fail';
}

function isUnsupported(error: unknown): boolean {
  return error instanceof AppError && error.code === 'policy-unsupported';
}
