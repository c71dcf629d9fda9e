import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawEvidence } from '#model/evidence.ts';
import { COSIGN_BUNDLE } from '#model/media-types.ts';
import { compatAuthority } from '#verification/compat-attestor.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { makePki } from '../../support/pki.ts';
import { createRekorLog, type EntrySpec, withAnnotation } from '../../support/rekor-log.ts';
import { SUBJECT, signedEvidence } from '../../support/signed-evidence.ts';

const pki = makePki();
const log = createRekorLog();
const now = new Date('2026-01-01T00:00:00Z');
const attestor = compatAuthority(pki.chainPem, {
  transparencyLog: 'required',
  logKey: log.pem,
  certificateTimestamp: 'ignored',
});
const raw = signedEvidence(pki);

function codeOf(evidence: RawEvidence): string {
  const { held } = verifyEvidence(evidence, { digest: SUBJECT, attestor, now });
  return held === true ? 'held' : held.code;
}

test('an entry about this layer and this signer holds', () => {
  assert.equal(codeOf(log.log(raw)), 'held');
});

const CHANGES: Readonly<Record<string, EntrySpec>> = {
  'another signer': { verifier: makePki().leaf.pem },
  'another kind': { edit: (entry) => ({ ...entry, kind: 'rekord' }) },
  'another version': { edit: (entry) => ({ ...entry, apiVersion: '0.0.9' }) },
  'other bytes': {
    edit: (entry) => ({
      ...entry,
      spec: { ...entry.spec, envelopeHash: { algorithm: 'sha256', value: '0'.repeat(64) } },
    }),
  },
  'another hash': {
    edit: (entry) => ({
      ...entry,
      spec: { ...entry.spec, envelopeHash: { algorithm: 'sha512', value: '0'.repeat(64) } },
    }),
  },
  'two signatures': {
    edit: (entry) => ({
      ...entry,
      spec: { ...entry.spec, signatures: [entry.spec.signatures, entry.spec.signatures].flat() },
    }),
  },
  'no specification': { edit: ({ kind, apiVersion }) => ({ kind, apiVersion, spec: null }) },
};

for (const [name, spec] of Object.entries(CHANGES)) {
  test(`an entry with ${name} does not, though its log signed it`, () => {
    assert.equal(codeOf(log.log(raw, spec)), 'log-entry-invalid');
  });
}

test('what the log promised is signed: body, time, index and log', () => {
  const entry = JSON.parse(log.annotation(raw));
  for (const change of [{ integratedTime: 1 }, { logIndex: 8 }, { logID: '0'.repeat(64) }, { body: 'e30=' }]) {
    const changed = JSON.stringify({ ...entry, Payload: { ...entry.Payload, ...change } });
    assert.equal(codeOf(withAnnotation(raw, COSIGN_BUNDLE, changed)), 'log-entry-invalid');
  }
});

test('text that is no entry is refused, and an empty one is none', () => {
  for (const text of ['{}', 'null', '[', '{"SignedEntryTimestamp":1,"Payload":[]}', '"x"']) {
    assert.equal(codeOf(withAnnotation(raw, COSIGN_BUNDLE, text)), 'log-entry-invalid', text);
  }
  assert.equal(codeOf(withAnnotation(raw, COSIGN_BUNDLE, '')), 'log-entry-missing');
});

test('the time of the entry takes the place of now', () => {
  const short = makePki({ leaf: { notBefore: new Date('2024-01-01'), notAfter: new Date('2024-02-01') } });
  const trusting = {
    ...attestor,
    ...compatAuthority(short.chainPem, {
      transparencyLog: 'required',
      logKey: log.pem,
      certificateTimestamp: 'ignored',
    }),
  };
  const at = (integratedTime: Date) => {
    const evidence = log.log(signedEvidence(short), { integratedTime });
    return verifyEvidence(evidence, { digest: SUBJECT, attestor: trusting, now }).held;
  };
  assert.equal(at(new Date('2024-01-15T00:00:00Z')), true);
  assert.notEqual(at(new Date('2024-03-01T00:00:00Z')), true);
});

test("without the log's key an entry is left open, but one that no log could make good is bad", () => {
  const unknown = compatAuthority(pki.chainPem, { transparencyLog: 'required', certificateTimestamp: 'ignored' });
  const judge = (spec?: EntrySpec) => verifyEvidence(log.log(raw, spec), { digest: SUBJECT, attestor: unknown, now });
  assert.throws(() => judge(), { code: 'policy-unsupported' });
  for (const spec of Object.values(CHANGES)) {
    const { held } = judge(spec);
    assert.ok(held !== true && held.code === 'log-entry-invalid');
  }
});
