import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityRule } from '#compose/identity-rule.ts';

test('a text is wanted exactly, an expression of the whole text', () => {
  const exact = identityRule({ subject: 'me@example.com', issuer: 'https://issuer.test' }, 'identity');
  assert.equal(exact?.subject?.matches('me@example.com'), true);
  assert.equal(exact?.subject?.matches('me@example.com.evil.test'), false);
  assert.equal(exact?.issuer?.matches('https://issuer.test/'), false);
  const pattern = identityRule({ subjectRegExp: 'a.c|x' }, 'identity');
  for (const [text, wanted] of [
    ['abc', true],
    ['x', true],
    ['xabc', false],
    ['abcx', false],
    ['abc\nx', false],
  ] as const) {
    assert.equal(pattern?.subject?.matches(text), wanted, JSON.stringify(text));
  }
  assert.equal(pattern?.issuer, undefined);
  assert.equal(identityRule(undefined, 'identity'), undefined);
});

test('an expression that is none is refused by its field, and none breaks out of its bounds', () => {
  for (const source of ['(', 'a)|(b', '(?=x)', '\\1']) {
    assert.throws(() => identityRule({ issuerRegExp: source }, 'trusts.a.identity'), {
      code: 'config-invalid',
      field: 'trusts.a.identity.issuerRegExp',
    });
  }
});
