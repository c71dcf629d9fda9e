import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { parseImageRef } from '#model/image-ref.ts';
import { kyvernoImage, lacksHost } from '#policy/matching/kyverno-image.ts';
import { wildcardMatches } from '#policy/matching/wildcard.ts';

const digest = sha256('x');

for (const [pattern, text, matches] of [
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', 'a/b:c@d', true],
  ['a*c', 'abbc', true],
  ['a*c', 'abcb', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['?', '😀', true],
  ['a.c', 'abc', false],
  ['A', 'a', false],
  ['*a*b*c', 'xxaxxbxxc', true],
  ['*a*b*c', 'xxaxxcxxb', false],
  ['a**b', 'ab', true],
  ['a', '*', false],
] as const) {
  test(`${JSON.stringify(pattern)} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () => {
    assert.equal(wildcardMatches(pattern, text), matches);
  });
}

test('a pattern of many stars over a long text ends', () => {
  assert.equal(wildcardMatches(`${'*a'.repeat(200)}b`, 'a'.repeat(5000)), false);
});

for (const [reference, name] of [
  ['nginx', 'docker.io/nginx:latest'],
  ['team/app:1', 'docker.io/team/app:1'],
  ['reg.test:5000/app', 'reg.test:5000/app:latest'],
  ['reg.test/app:1.0', 'reg.test/app:1.0'],
  [`reg.test/app:1.0@${digest}`, `reg.test/app@${digest}`],
] as const) {
  test(`Kyverno matches ${reference} as ${name.slice(0, 40)}`, () => {
    assert.equal(kyvernoImage(parseImageRef(reference)), name);
  });
}

for (const [pattern, lacking] of [
  ['my_account/my_image*', true],
  ['my_account/evidence/container', true],
  ['nginx', true],
  ['nginx*', true],
  ['*', false],
  ['*/app', false],
  ['reg*/app', false],
  ['ghcr.io*', false],
  ['ghcr.io/team/*', false],
  ['localhost/app', false],
  ['reg:5000/app*', false],
] as const) {
  test(`${pattern} ${lacking ? 'names no host' : 'may name a host'}`, () => assert.equal(lacksHost(pattern), lacking));
}
