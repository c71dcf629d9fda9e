import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTemplate } from '#policy/conditions/template.ts';
import { compileExpression, resolveExpression } from '#policy/jmespath/kyverno-dialect.ts';

const document = {
  text: 'abc',
  num: 10,
  list: [{ n: 'one', v: 1 }, { n: 'two', v: 2 }, { v: 3 }],
  texts: ['b', 'a'],
  nested: [[1, 2], [3], 4],
  map: { k: 'v', l: 'w' },
  nothing: null,
};

for (const [expression, value] of [
  ['text', 'abc'],
  ['map.k', 'v'],
  ['text.anything', null],
  ['nothing', null],
  ['list[0].n', 'one'],
  ['list[-1].v', 3],
  ['list[9]', null],
  ['list[].n', ['one', 'two']],
  ['list[*].v | [1]', 2],
  ["list[?n=='two'].v", [2]],
  ['list[?v>`1`].v', [2, 3]],
  ['list[1:].v', [2, 3]],
  ['list[::-1].v', [3, 2, 1]],
  ['nested[]', [1, 2, 3, 4]],
  ['map.*', ['v', 'w']],
  ['missing[]', null],
  ["missing || 'x'", 'x'],
  ["missing.deep.path || 'x'", 'x'],
  ['missing && text', null],
  ['!missing', true],
  ['missing == `null`', true],
  ['text == missing', false],
  ['missing | [0]', null],
  ['[text, missing]', ['abc', null]],
  ['{a: text, b: missing}', { a: 'abc', b: null }],
  ['type(missing)', 'null'],
  ['sort(texts)', ['a', 'b']],
  ['sort_by(list, &v)[-1].v', 3],
  ['max_by(list, &v).v', 3],
  ['map(&n, list)', ['one', 'two', null]],
  ['not_null(missing, text)', 'abc'],
  ['merge(map, {k: `1`})', { k: 1, l: 'w' }],
  ["join('-', texts)", 'b-a'],
  ["contains(texts, 'a')", true],
  ['keys({b: `1`})', ['b']],
  ['to_string(map)', '{"k":"v","l":"w"}'],
  ["to_number('1e3')", 1000],
  ["replace('aaa', 'a', 'b', `2`)", 'bba'],
  ["trim('xxaxx', 'x')", 'a'],
  ["base64_decode('YWJj')", 'abc'],
  [
    "items(map, 'a', 'b')",
    [
      { a: 'k', b: 'v' },
      { a: 'l', b: 'w' },
    ],
  ],
  ['object_from_lists(texts, texts)', { b: 'b', a: 'a' }],
  ['divide(num, `4`)', 2.5],
] as const) {
  test(`${expression} gives ${JSON.stringify(value)}`, () => {
    assert.deepEqual(resolveExpression(compileExpression(expression), document), { ok: true, value });
  });
}

for (const expression of [
  'missing',
  'map.missing',
  'text && missing',
  'length(num)',
  'length(missing)',
  "parse_json('{')",
  'divide(num, `0`)',
  'sum(`[]`)',
  "to_boolean('yes')",
  'join(texts)',
  'list[::0]',
  'sort_by(list, &n)',
]) {
  test(`${expression} gives nothing, and says why`, () => {
    const resolution = resolveExpression(compileExpression(expression), document);
    assert.equal(resolution.ok, false);
  });
}

for (const expression of [
  'num + num',
  'a ? b : c',
  '$.text',
  "let $a = 'x' in $a",
  'text[',
  "'open",
  "'a\\\\b'",
  'random(text)',
  'time_now()',
  "regex_replace_all('a', text, 'b')",
  'constructor(text)',
  'a.'.repeat(3000),
]) {
  test(`${expression.slice(0, 30)} is not supported`, () => {
    assert.throws(() => compileExpression(expression), { code: 'policy-unsupported' });
  });
}

test('an evaluation takes a bounded number of steps', () => {
  const wide = {
    a: Array.from({ length: 2000 }, (_, index) => ({ b: Array.from({ length: 1000 }, () => ({ c: index })) })),
  };
  const node = compileExpression('a[].b[].c');
  assert.throws(() => resolveExpression(node, wide), { code: 'policy-unsupported' });
});

test('a side of a condition keeps the type of its only variable, and mixes others into text', () => {
  const resolve = (side: unknown) => compileTemplate(side, []).resolve(document);
  assert.deepEqual(resolve('{{ num }}'), { ok: true, value: 10 });
  assert.deepEqual(resolve('{{num}}{{text}}'), { ok: true, value: '10abc' });
  assert.deepEqual(resolve('x-{{ map }}'), { ok: true, value: 'x-{"k":"v","l":"w"}' });
  assert.deepEqual(resolve(['{{ text }}', { a: '{{ num }}' }, 7, null]), {
    ok: true,
    value: ['abc', { a: 10 }, 7, null],
  });
  assert.deepEqual(resolve('{{ {a: text} }}'), { ok: true, value: { a: 'abc' } });
  assert.deepEqual(resolve('plain {{ text }'), { ok: true, value: 'plain {{ text }' });
  assert.deepEqual(resolve('{{ missing }}').ok, false);
});

for (const side of [
  '$(a)',
  '\\{{ a }}',
  '{{ a }} {{ {b',
  '{{ }}',
  '{{- a }}',
  '{{ @ }}',
  '{{ * }}',
  '{{ length(@) }}',
  '{{ request.x }}',
  '{{ mine.x }}',
]) {
  test(`the side ${side} is not supported`, () => {
    assert.throws(() => compileTemplate(side, ['mine']), { code: 'policy-unsupported' });
  });
}

test('a name of the context inside of a path is no context variable', () => {
  const template = compileTemplate('{{ a.request }}', []);
  assert.deepEqual(template.resolve({ a: { request: 1 } }), { ok: true, value: 1 });
});
