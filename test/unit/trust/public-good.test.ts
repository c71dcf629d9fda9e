import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256Hex } from '#model/digest.ts';
import { PUBLIC_GOOD_MIRROR, PUBLIC_GOOD_ROOT } from '#trust/public-good.ts';

test("the public instance's root metadata is the one that was published", () => {
  assert.equal(new URL(PUBLIC_GOOD_MIRROR).protocol, 'https:');
  assert.equal(sha256Hex(PUBLIC_GOOD_ROOT), '27aea7e372aa7864065174f0661784fcf8b0e28b1dbfebeada31a0f1fb19167f');
  const { signed, signatures } = JSON.parse(PUBLIC_GOOD_ROOT.toString('utf8'));
  assert.equal(signed._type, 'root');
  assert.ok(signatures.length >= signed.roles.root.threshold);
});
