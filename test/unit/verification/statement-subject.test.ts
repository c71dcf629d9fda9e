import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '#model/digest.ts';
import type { Statement } from '#model/evidence.ts';
import { isAlsoAboutOthers } from '#verification/statement-subject.ts';

const HERE = `sha256:${'a'.repeat(64)}` as Digest;
const CHILD = `sha256:${'b'.repeat(64)}` as Digest;
const IMAGES = new Set([HERE, CHILD]);

function about(...digests: Record<string, string>[]): Statement {
  const subject = digests.map((digest, index) => ({ name: `image-${index}`, digest }));
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject,
    predicateType: 'https://example.com/p',
    predicate: {},
  } as Statement;
}

test('a statement about these images alone is about no others', () => {
  assert.equal(isAlsoAboutOthers(about({ sha256: 'a'.repeat(64) }), IMAGES), false);
  assert.equal(isAlsoAboutOthers(about({ sha256: 'a'.repeat(64) }, { sha256: 'b'.repeat(64) }), IMAGES), false);
});

for (const [what, subjects] of [
  ['another image', [{ sha256: 'a'.repeat(64) }, { sha256: 'c'.repeat(64) }]],
  ['an algorithm that none of them has', [{ sha256: 'a'.repeat(64), sha512: 'a'.repeat(128) }]],
  ['a subject without digest', [{ sha256: 'a'.repeat(64) }, {}]],
  ['the digest in capitals', [{ sha256: 'A'.repeat(64) }]],
] as [string, Record<string, string>[]][]) {
  test(`a statement that also names ${what} is about others`, () => {
    assert.equal(isAlsoAboutOthers(about(...subjects), IMAGES), true);
  });
}
