import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRegexp } from '#policy/regexp/regexp.ts';

function matches(source: string, text: string): boolean {
  const compiled = compileRegexp(source);
  assert.equal(compiled.kind, 'usable', source);
  return compiled.kind === 'usable' && compiled.matches(text);
}

for (const [source, yes, no] of [
  ['b', 'abc', 'acd'],
  ['^abc$', 'abc', 'abcd'],
  ['^$', '', 'a'],
  ['a|bc|', 'x', undefined],
  ['^(?:a|bc)+$', 'abcbca', 'abcb'],
  ['^a{2,3}$', 'aaa', 'aaaa'],
  ['^a{2,}$', 'aaaaa', 'a'],
  ['^a{0}$', '', 'a'],
  ['^a{,3}$', 'a{,3}', 'aaa'],
  [
    '^https://github\\.com/[^/]+/.*@refs/heads/(main|release-\\d+)$',
    'https://github.com/o/r@refs/heads/release-12',
    'https://github.com/o@refs/heads/main',
  ],
  ['^[\\w.-]+@example\\.com$', 'a.b-c@example.com', 'a b@example.com'],
  ['^[^a-c]$', 'd', 'b'],
  ['^[]a]$', ']', 'b'],
  ['^[a-]$', '-', 'b'],
  ['^[[:alpha:][:^space:]]$', '1', ' '],
  ['(?i)^STRASSE$', 'strasse', 'strase'],
  ['^(?i:A)b$', 'ab', 'aB'],
  ['(?i)^[^a]$', 'b', 'A'],
  ['a.c', 'abc', 'a\nc'],
  ['(?s)a.c', 'a\nc', 'ac'],
  ['(?m)^b$', 'a\nb\nc', 'a\nbc'],
  ['\\bfoo\\b', 'a foo b', 'afoo'],
  ['\\Bfoo', 'afoo', 'foo'],
  ['\\Aa\\z', 'a', 'ab'],
  ['^\\pL\\p{Greek}\\P{Lu}$', 'äβc', 'äbc'],
  ['^\\x41\\x{1F600}\\055$', 'A😀-', 'A😀'],
  ['^\\Qa.b*\\E$', 'a.b*', 'axb'],
  ['^(?P<name>a)(?<other>b)$', 'ab', 'a'],
  ['^a*?b$', 'aab', 'aac'],
  ['^(a*)*$', 'aaa', 'ab'],
  ['^\\Qab\\E+$', 'abb', 'abab'],
  ['^a{01}$', 'a{01}', 'a'],
  ['(?)^a(?i)b$', 'aB', 'Ab'],
  ['(?i)^s\\w$', 'ſ\u212a', 'ſé'],
  ['(?i)^[--a]$', '\u212a', 'é'],
  ['^\\p{Yi}$', 'ꀀ', 'a'],
] as const) {
  test(`${source} as Go reads it`, () => {
    assert.equal(matches(source, yes), true);
    if (no !== undefined) assert.equal(matches(source, no), false);
  });
}

for (const source of [
  '(?=a)',
  '(?!a)',
  '(?<=a)',
  '(?<!a)',
  '(a)\\1',
  'a**',
  'a{2}{3}',
  '{2}',
  'a|{1,}',
  '*a',
  '(a',
  'a)',
  '[a',
  '[z-a]',
  '\\y',
  '\\p{Nope}',
  'a{1001}',
  '(?x)a',
  'a\\',
  '[[:nope:]]',
]) {
  test(`${source} is refused as Go refuses it`, () => {
    assert.equal(compileRegexp(source).kind, 'invalid');
  });
}

test('what Go reads in a way of its own is not judged', () => {
  for (const source of ['a(?i)*', 'a\\Q\\E*', '(?i)\\P{Lu}', '(?i)[\\p{^Lu}]']) {
    assert.equal(compileRegexp(source).kind, 'unsupported', source);
  }
});

test('an expression that would take too much room is not judged', () => {
  assert.equal(compileRegexp('(?:a{1000}){1000}').kind, 'unsupported');
  assert.equal(compileRegexp('a'.repeat(3000)).kind, 'unsupported');
  assert.equal(compileRegexp('('.repeat(200)).kind, 'unsupported');
});

test('an expression that explodes in other engines does not', () => {
  assert.equal(matches('^(a+)+$', `${'a'.repeat(5000)}b`), false);
  assert.equal(matches('^(?:a?){50}a{50}$', 'a'.repeat(50)), true);
});
