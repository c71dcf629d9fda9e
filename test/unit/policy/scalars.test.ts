import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGoDuration } from '#policy/conditions/duration.ts';
import { goParseFloat, goSprint } from '#policy/conditions/go-format.ts';
import { parseQuantity } from '#policy/conditions/quantity.ts';
import { compareVersions, parseVersion } from '#policy/conditions/semver.ts';
import { versionInRange } from '#policy/jmespath/version-range.ts';

for (const [text, nanoseconds] of [
  ['1h', 3600_000_000_000n],
  ['-1.5s', -1_500_000_000n],
  ['1h2m3s4ms5us6ns', 3723_004_005_006n],
  ['0', 0n],
  ['.5s', 500_000_000n],
  ['', undefined],
  ['1', undefined],
  ['1d', undefined],
  ['s', undefined],
  ['1h ', undefined],
  ['9999999999h', undefined],
  ['1'.repeat(500), undefined],
] as const) {
  test(`duration ${JSON.stringify(text.slice(0, 20))}`, () => assert.equal(parseGoDuration(text), nanoseconds));
}

const ONE = 1_000_000_000n;
for (const [text, amount] of [
  ['10', 10n * ONE],
  ['1.1', 1_100_000_000n],
  ['1.10', 1_100_000_000n],
  ['500m', ONE / 2n],
  ['1Ki', 1024n * ONE],
  ['1.5Gi', 1_610_612_736n * ONE],
  ['1k', 1000n * ONE],
  ['1e3', 1000n * ONE],
  ['1E', 10n ** 18n * ONE],
  ['-2', -2n * ONE],
  ['1n', 1n],
  ['0.0000000001', 1n],
  ['1e999999999', 9_223_372_036_854_775_807n * ONE],
  ['1e-999999999', 1n],
  ['', undefined],
  ['.', undefined],
  ['1Kb', undefined],
  ['abc', undefined],
  ['1 ', undefined],
] as const) {
  test(`quantity ${JSON.stringify(text)}`, () => assert.equal(parseQuantity(text), amount));
}

test('versions are ordered by semver.org, and half versions are none', () => {
  const ascending = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-2', '1.0.0', '1.2.0', '1.10.0'];
  const order = (a: string, b: string) => {
    const [left, right] = [parseVersion(a), parseVersion(b)];
    assert.ok(left && right);
    return compareVersions(left, right);
  };
  assert.ok(order('1.0.0-2', '1.0.0-alpha') < 0);
  for (const [index, version] of ascending.entries()) {
    if (index > 0 && index !== 3) assert.ok(order(ascending[index - 1] ?? '', version) < 0, version);
  }
  assert.equal(order('1.0.0+a', '1.0.0+b'), 0);
  for (const text of ['1.2', 'v1.2.3', '01.2.3', '1.2.3-01', '']) assert.equal(parseVersion(text), undefined, text);
});

test('version ranges join by blanks and separate by bars', () => {
  assert.equal(versionInRange('1.5.0', '>=1.2.0 <2.0.0'), true);
  assert.equal(versionInRange('2.5.0', '>=1.2.0 <2.0.0 || 2.5.0'), true);
  assert.equal(versionInRange('2.0.0', '>=1.2.0 <2.0.0'), false);
  assert.equal(versionInRange('no version', '<1.0.0'), true);
  assert.throws(() => versionInRange('1.0.0', '1.x'), /version range/);
  assert.throws(() => versionInRange('1.0.0', '1.0.0 || '), /version range/);
});

test('scalars print as in Go', () => {
  assert.equal(goSprint(10), '10');
  assert.equal(goSprint(1e21), '1e+21');
  assert.equal(goSprint(0.00001), '1e-05');
  assert.equal(goSprint(0.0001), '0.0001');
  assert.equal(goSprint(true), 'true');
  assert.equal(goSprint(null), '<nil>');
  assert.equal(goSprint(['a', { b: 1, a: [2] }]), '[a map[a:[2] b:1]]');
});

test('floats parse as in Go', () => {
  assert.equal(goParseFloat('1e3'), 1000);
  assert.equal(goParseFloat('.5'), 0.5);
  assert.equal(goParseFloat('-Inf'), Number.NEGATIVE_INFINITY);
  for (const text of ['', ' 1', '1e400', '0x10', '1_0', 'abc']) assert.equal(goParseFloat(text), undefined, text);
});
