import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileExpression, resolveExpression } from '#policy/jmespath/kyverno-dialect.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

function resolve(expression: string) {
  return resolveExpression(compileExpression(expression), { text: 'abc', flag: true, num: 2.5 });
}

for (const [expression, value] of [
  ["regex_match('^a.c$', text)", true],
  ["regex_match('b', text)", true],
  ["regex_match('^b', text)", false],
  ["regex_match('^true$', flag)", true],
  // Exponential for an engine that backtracks.
  [`regex_match('^(a+)+$', '${'a'.repeat(200)}b')`, false],
  ["path_canonicalize('/a/../b')", '/b'],
  ["path_canonicalize('a//b/./c/')", 'a/b/c'],
  ["path_canonicalize('')", ''],
  ["path_canonicalize('/')", '/'],
  ["image_normalize('nginx')", 'docker.io/nginx:latest'],
  ["image_normalize('docker.io/library/nginx')", 'docker.io/library/nginx:latest'],
  ["image_normalize('registry.test:5000/team/app')", 'registry.test:5000/team/app:latest'],
  ["image_normalize('localhost/app:v1')", 'localhost/app:v1'],
  [`image_normalize('team/app:v1@${DIGEST}')`, `docker.io/team/app@${DIGEST}`],
  [`image_normalize('team/app@${DIGEST}')`, `docker.io/team/app@${DIGEST}`],
  ["is_external_url('http://127.0.0.1')", false],
  ["is_external_url('https://172.31.0.1:8443/x')", false],
  ["is_external_url('https://172.32.0.1')", true],
  ["is_external_url('https://8.8.8.8')", true],
  ["is_external_url('http://[fd00::1]')", false],
  ["is_external_url('http://[2001:db8::1]')", true],
  ['round(num, `0`)', 3],
  ['round(`-2.5`, `0`)', -3],
  ['round(`2.345`, `1`)', 2.3],
  ["time_before('2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z')", true],
  ["time_before('2025-01-01T00:00:00Z', '2025-01-01T00:00:00Z')", false],
  ["time_before('2025-01-01T01:00:00+02:00', '2025-01-01T00:00:00Z')", true],
  ["time_after('2025-01-01T00:00:00.000000002Z', '2025-01-01T00:00:00.000000001Z')", true],
  ["time_between('2024-02-29T00:00:00Z', '2024-02-28T00:00:00Z', '2024-03-01T00:00:00Z')", true],
  ["time_between('2024-02-28T00:00:00Z', '2024-02-28T00:00:00Z', '2024-03-01T00:00:00Z')", false],
] as const) {
  test(`${expression.slice(0, 70)} is ${JSON.stringify(value)}`, () => {
    assert.deepEqual(resolve(expression), { ok: true, value });
  });
}

for (const expression of [
  "regex_match('(', text)",
  "image_normalize('UPPER CASE')",
  'round(num, `-1`)',
  'round(num, `0.5`)',
  'round(text, `0`)',
  "time_before('yesterday', '2025-01-01T00:00:00Z')",
  "time_after('2025-02-30T00:00:00Z', '2025-01-01T00:00:00Z')",
]) {
  test(`${expression} fails, as in Kyverno`, () => {
    assert.equal(resolve(expression).ok, false);
  });
}

for (const expression of [
  "is_external_url('http://example.com')",
  "is_external_url('http://[::ffff:10.0.0.1]')",
  "regex_match('2', num)",
  "time_before('2025-01-01T1:00:00Z', '2025-01-01T00:00:00Z')",
]) {
  test(`${expression} is not guessed`, () => {
    assert.throws(() => resolve(expression), { code: 'policy-unsupported' });
  });
}
