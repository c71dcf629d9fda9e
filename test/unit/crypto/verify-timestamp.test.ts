import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { splitTimestampAuthority } from '#crypto/timestamp-authority.ts';
import { parseTimestampResponse } from '#crypto/timestamp-response.ts';
import { verifyTimestamp } from '#crypto/verify-timestamp.ts';
import { COSIGN_RFC3161 } from '#model/media-types.ts';
import { corpusEvidence, corpusPolicy } from '../../support/recorded-corpus.ts';
import { RECORDED_NOW } from '../../support/recorded-verdicts.ts';

const [{ verifyImages }] = parse(corpusPolicy('b-chain-main-tsa')).spec.rules;
const [{ certificates }] = verifyImages[0].attestations[0].attestors[0].entries;
const authority = splitTimestampAuthority(certificates.ctlog.tsaCertChain);

function stamped(id: string) {
  const [raw] = corpusEvidence(id);
  const { SignedRFC3161Timestamp } = JSON.parse(raw?.descriptor.annotations?.[COSIGN_RFC3161] ?? '{}');
  return { bytes: raw?.bytes ?? Buffer.alloc(0), response: Buffer.from(SignedRFC3161Timestamp, 'base64') };
}

const { bytes, response } = stamped('x509-53-expired-stamped');

test('a timestamp tells the time of its token', () => {
  const check = verifyTimestamp(response, bytes, authority, RECORDED_NOW);
  assert.ok(check.ok);
  assert.deepEqual(check.time, parseTimestampResponse(response).time);
});

test('no changed byte of a response passes, or it tells the same time', () => {
  const { time } = parseTimestampResponse(response);
  let refused = 0;
  for (let at = 0; at < response.length; at += 7) {
    const changed = Buffer.from(response);
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    const check = verifyTimestamp(changed, bytes, authority, RECORDED_NOW);
    if (check.ok) assert.deepEqual(check.time, time, `byte ${at}`);
    else refused++;
  }
  assert.ok(refused > response.length / 14);
});

test('a response that is cut off, lengthened or none is refused', () => {
  for (const broken of [response.subarray(0, -1), Buffer.concat([response, Buffer.from([0])]), Buffer.alloc(0)]) {
    assert.equal(verifyTimestamp(broken, bytes, authority, RECORDED_NOW).ok, false);
  }
});

test('a timestamp over other bytes, and one of an authority without a root, are refused', () => {
  const other = verifyTimestamp(response, Buffer.concat([bytes, Buffer.from(' ')]), authority, RECORDED_NOW);
  assert.ok(!other.ok && /other bytes/.test(other.problem));
  const rootless = verifyTimestamp(response, bytes, { ...authority, roots: [] }, RECORDED_NOW);
  assert.ok(!rootless.ok && /no root/.test(rootless.problem));
});
