import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATORS } from '#policy/conditions/operators.ts';

/** Beside what is recorded: the forms that no recorded case has. */
for (const [operator, key, value, met] of [
  ['Equals', null, null, false],
  ['NotEquals', null, 'x', false],
  ['NotEquals', '10', '', true],
  ['NotEquals', { a: 1 }, 'x', true],
  ['Equals', { a: 1, b: [2] }, { b: [2], a: 1 }, true],
  ['Equals', [1], [1, 2], false],
  ['Equals', true, false, false],
  ['Equals', '0', '0s', false],
  ['Equals', '1h', 3600, true],
  ['GreaterThan', '1.5', '1h', false],
  ['GreaterThanOrEquals', 3600, '1h', true],
  ['LessThan', '1.0.0-rc.1', '1.0.0', true],
  ['LessThan', null, 1, false],
  ['GreaterThan', [2], 1, false],
  ['GreaterThan', 'Inf', 5, true],
  ['GreaterThanOrEquals', 'NaN', 'NaN', false],
  ['DurationGreaterThan', 61, '1m', true],
  ['DurationLessThan', 'x', '1m', false],
  ['In', 'a', '["a","b"]', true],
  ['In', 'c', 'not a list', false],
  ['NotIn', 'c', 'not a list', false],
  ['NotIn', ['a', 'c'], ['a', 'b'], true],
  ['NotIn', ['a', 'b'], ['a', 'b'], false],
  ['NotIn', ['a'], 'a', true],
  ['In', ['a'], [1], false],
  ['AnyIn', 'x', '10', false],
  ['AnyNotIn', 'x', '10', false],
  ['AnyNotIn', 'x', ['y'], true],
  ['AnyIn', ['10'], 10, true],
  ['AllIn', ['10'], 10, false],
  ['AnyNotIn', [1, 30], '1-20', true],
  ['AnyNotIn', [1, 3], '1-20', false],
  ['AllNotIn', [1, 30], '1-20', false],
  ['AnyIn', '30m', '10m-1h', true],
  ['AnyIn', { a: 1 }, ['a'], false],
  ['AllIn', ['a', true, null], ['a', 'true', '<nil>'], true],
  ['AnyIn', 'null', 'null', true],
  ['AllIn', [], 'null', true],
] as const) {
  test(`${JSON.stringify(key)} ${operator} ${JSON.stringify(value)} is ${met}`, () => {
    assert.equal(OPERATORS[operator]?.(key, value), met);
  });
}

test('forms that would be guessed are named instead', () => {
  assert.throws(() => OPERATORS.AnyIn?.('1', '-5-10'), /range/);
  assert.throws(() => OPERATORS.In?.([1], ['1']), /AnyIn|other things than texts/);
});

test('work on hostile sizes is bounded', () => {
  const long = 'a'.repeat(20_000);
  assert.throws(() => OPERATORS.Equals?.(long, `*${long}`), /as long as these/);
  assert.throws(() => OPERATORS.AnyIn?.([long], [long]), /as large as these/);
});
