import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseBoundedJson } from '#oci/json.ts';

const encode = (text: string) => new TextEncoder().encode(text);

it('parses what JSON is', () => {
  assert.deepEqual(parseBoundedJson(encode('{"a":["\\"[[",{"b":"}\\\\"}]}')), { a: ['"[[', { b: '}\\' }] });
});

it('refuses four megabytes of brackets without parsing them', () => {
  for (const bracket of ['[', '{"a":']) {
    const bytes = encode(bracket.repeat((4 * 1024 * 1024) / bracket.length));
    assert.throws(() => parseBoundedJson(bytes), { code: 'manifest-malformed', message: /nested deeper than 64/ });
  }
});

it('counts depth, not brackets', () => {
  assert.deepEqual(parseBoundedJson(encode('[[1],[2],[3]]'), 'it', 2), [[1], [2], [3]]);
  assert.throws(() => parseBoundedJson(encode('[[[1]]]'), 'it', 2), {
    message: 'it is JSON nested deeper than 2 levels',
  });
  assert.equal(parseBoundedJson(encode(JSON.stringify('['.repeat(100))), 'it', 2), '['.repeat(100));
});

it('refuses what is not UTF-8, and never quotes what it could not parse', () => {
  assert.throws(() => parseBoundedJson(Uint8Array.of(0x22, 0xff, 0x22)), { code: 'manifest-malformed' });
  assert.throws(
    () => parseBoundedJson(encode('{"token":"s3cret" oops}')),
    (error: Error) => {
      assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /s3cret/);
      return true;
    },
  );
});
