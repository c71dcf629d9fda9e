import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonBoundsProblem, parseStrictJson } from '#verification/strict-json.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function problemOf(input: string | Uint8Array): string {
  const result = parseStrictJson(typeof input === 'string' ? bytes(input) : input);
  assert.equal(result.ok, false);
  return result.ok ? '' : result.problem;
}

test('what every parser reads alike is read', () => {
  const text = '{"a":{"b":[1,"x",{"b":null}],"c":"{\\"a\\":1,\\"a\\":2}"},"b":"é😀","d":"\\ud83d\\ude00"}';
  assert.deepEqual(parseStrictJson(bytes(text)), { ok: true, value: JSON.parse(text) });
});

for (const [name, text] of [
  ['at the top', '{"a":1,"a":2}'],
  ['deep inside', '{"x":[{"y":{"a":1,"b":2,"a":3}}]}'],
  ['after a nested object', '{"a":{"z":1},"b":2,"a":3}'],
  ['by an escape', '{"a":1,"\\u0061":2}'],
  ['named __proto__', '{"__proto__":1,"__proto__":2}'],
] as const) {
  test(`a duplicate member ${name} is refused`, () => assert.match(problemOf(text), /occurs twice/));
}

test('equal names in different objects are no duplicates', () => {
  assert.equal(parseStrictJson(bytes('[{"a":1},{"a":{"a":2}}]')).ok, true);
});

test('lone surrogates, in values and in names, are refused', () => {
  assert.match(problemOf('{"a":"\\ud800"}'), /lone surrogate/);
  assert.match(problemOf('{"\\udc00":1}'), /lone surrogate/);
});

test('bytes that are not UTF-8, a byte order mark and trailing bytes are refused', () => {
  assert.match(problemOf(Uint8Array.of(0x22, 0xff, 0x22)), /UTF-8/);
  assert.match(problemOf('\ufeff{}'), /not JSON/);
  assert.match(problemOf('{} x'), /not JSON/);
  assert.match(problemOf('{"a":'), /not JSON/);
});

test('depth and number of values are bounded, also before parsing', () => {
  const deep = `${'['.repeat(10_001)}${']'.repeat(10_001)}`;
  assert.match(problemOf(deep), /nested deeper/);
  assert.match(jsonBoundsProblem(bytes(deep)) ?? '', /nested deeper/);
  const wide = `[${'0,'.repeat(5_000_001)}0]`;
  assert.match(problemOf(wide), /more than/);
  assert.match(jsonBoundsProblem(bytes(wide)) ?? '', /more than/);
  assert.equal(jsonBoundsProblem(bytes(`{"a":"${'[,'.repeat(20_000)}\\""}`)), undefined);
});
