import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEnvelope } from '#crypto/dsse.ts';

const MIB = 1024 * 1024;

function envelope(payloadBytes: number, signatures: number): Buffer {
  const payload = Buffer.alloc(payloadBytes, 'a').toString('base64');
  const sig = Buffer.from('no signature').toString('base64');
  const list = Array.from({ length: signatures }, () => ({ keyid: '', sig }));
  return Buffer.from(JSON.stringify({ payloadType: 'application/vnd.in-toto+json', payload, signatures: list }));
}

test('many signatures over a large payload would stop everything else while they are checked', () => {
  assert.equal(parseEnvelope(envelope(6 * MIB, 100)).ok, false);
  for (const [bytes, signatures] of [
    [60 * MIB, 3],
    [MIB, 100],
  ] as const) {
    assert.equal(parseEnvelope(envelope(bytes, signatures)).ok, true);
  }
});
