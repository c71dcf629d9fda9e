import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { RawEvidence } from '#model/evidence.ts';
import { COSIGN_CERTIFICATE, COSIGN_CHAIN, COSIGN_SIGNATURE } from '#model/media-types.ts';
import type { Attestor } from '#verification/attestor.ts';
import { chainAttestor, compatChainAttestor, keyAttestor } from '#verification/attestor-from-pem.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { makePki, pemOf } from '../../support/pki.ts';
import { createRekorLog } from '../../support/rekor-log.ts';
import { type EvidenceSpec, keyEvidence, SUBJECT, signedEvidence, statementOf } from '../../support/signed-evidence.ts';

const now = new Date('2026-01-01T00:00:00Z');
const pki = makePki();
const strict = chainAttestor({ chain: pki.chainPem });
const compat = compatChainAttestor(pki.chainPem, 'ignored', 'ignored');
const profiles = [
  ['strict', strict],
  ['compat', compat],
] as const;

function verify(raw: RawEvidence, attestor: Attestor) {
  return verifyEvidence(raw, { digest: SUBJECT, attestor, now });
}

function defectCode(raw: RawEvidence, attestor: Attestor): string {
  const { held } = verify(raw, attestor);
  return held === true ? 'held' : held.code;
}

for (const [name, attestor] of profiles) {
  test(`${name}: sound evidence holds, and says who signed what`, () => {
    const evidence = verify(signedEvidence(pki), attestor);
    assert.equal(evidence.held, true);
    assert.deepEqual(evidence.statement, statementOf());
    assert.equal(evidence.payloadDigest, sha256(JSON.stringify(statementOf())));
    assert.deepEqual(evidence.signer?.subjectAlternativeNames, ['https://attestry.test/builder']);
    assert.equal(evidence.signer?.notAfter, '2045-01-01T00:00:00.000Z');
  });

  test(`${name}: a listed blob that is gone is a defect, not a crash`, () => {
    const { bytes: _gone, ...raw } = signedEvidence(pki);
    assert.equal(defectCode(raw, attestor), 'blob-missing');
  });

  test(`${name}: bytes of another digest are refused before they are read`, () => {
    assert.equal(defectCode({ ...signedEvidence(pki), bytes: Buffer.from('{}') }, attestor), 'blob-digest');
  });

  test(`${name}: a stranger's signature gives no statement`, () => {
    const stranger = makePki();
    const evidence = verify(signedEvidence(stranger), attestor);
    assert.notEqual(evidence.held, true);
    assert.equal(evidence.statement, undefined);
    const mixed = signedEvidence(stranger, { annotations: { [COSIGN_CERTIFICATE]: pki.leaf.pem } });
    assert.equal(defectCode(mixed, attestor), 'signature-invalid');
    assert.equal(verify(mixed, attestor).statement, undefined);
  });

  for (const [what, spec, code] of [
    ['no certificate', { annotations: { [COSIGN_CERTIFICATE]: null } }, 'certificate-missing'],
    [
      'a certificate that is none',
      { annotations: { [COSIGN_CERTIFICATE]: pemOf(Buffer.from('x')) } },
      'certificate-malformed',
    ],
    ['a chain that is none', { annotations: { [COSIGN_CHAIN]: 'no PEM at all' } }, 'certificate-malformed'],
    ['another subject', { digest: sha256('another image') }, 'subject-mismatch'],
    ['a payload that is no statement', { payload: '{"a":1}' }, 'statement-malformed'],
    ['a case variant in the envelope', { extraMembers: { Payload: 'e30=' } }, 'envelope-malformed'],
  ] as const) {
    test(`${name}: ${what} is ${code}`, () => {
      assert.equal(defectCode(signedEvidence(pki, spec as EvidenceSpec), attestor), code);
    });
  }

  test(`${name}: an expired leaf is refused at now`, () => {
    const expired = makePki({ leaf: { notAfter: new Date('2025-06-01T00:00:00Z') } });
    const trusting =
      name === 'strict'
        ? chainAttestor({ chain: expired.chainPem })
        : compatChainAttestor(expired.chainPem, 'ignored', 'ignored');
    assert.equal(defectCode(signedEvidence(expired), trusting), 'certificate-expired');
  });
}

test('the signature annotation must exist for Kyverno, and means nothing to us', () => {
  const raw = signedEvidence(pki, { annotations: { [COSIGN_SIGNATURE]: null } });
  assert.equal(defectCode(raw, compat), 'signature-missing');
  assert.equal(defectCode(raw, strict), 'held');
});

test('compat drops the last certificate of the chain annotation, strict uses every candidate', () => {
  const rootOnly = (attestor: Attestor) =>
    ({ ...attestor, authorities: [{ anchors: anchorsOf(pki.root.pem), intermediates: [] }] }) as Attestor;
  const raw = signedEvidence(pki, { annotations: { [COSIGN_CHAIN]: pki.intermediate.pem } });
  assert.equal(defectCode(raw, rootOnly(compat)), 'chain-untrusted');
  assert.equal(defectCode(raw, rootOnly(strict)), 'held');
});

function anchorsOf(pem: string) {
  const attestor = chainAttestor({ roots: pem });
  return attestor.kind === 'certificate-chain' ? attestor.authorities.flatMap(({ anchors }) => anchors) : [];
}

test('an identity is the exact URI or e-mail address', () => {
  const named = (identity: string) => chainAttestor({ chain: pki.chainPem, identity });
  assert.equal(defectCode(signedEvidence(pki), named('https://attestry.test/builder')), 'held');
  for (const near of [
    'https://attestry.test/',
    'https://attestry.test/builder2',
    'HTTPS://attestry.test/builder',
    '',
  ]) {
    assert.equal(defectCode(signedEvidence(pki), named(near)), 'identity-mismatch', near);
  }
});

test('members that nothing signs are refused in strict only', () => {
  const raw = signedEvidence(pki, { extraMembers: { critical: {} } });
  assert.equal(defectCode(raw, strict), 'envelope-malformed');
  assert.equal(defectCode(raw, compat), 'held');
});

test('a required log entry that is missing is a defect', () => {
  const wanting = chainAttestor({ chain: pki.chainPem, requireLog: true });
  assert.equal(defectCode(signedEvidence(pki), wanting), 'log-entry-missing');
  assert.equal(
    defectCode(signedEvidence(pki), compatChainAttestor(pki.chainPem, 'required', 'required')),
    'log-entry-missing',
  );
  assert.equal(
    defectCode(signedEvidence(pki), compatChainAttestor(pki.chainPem, 'ignored', 'required')),
    'sct-missing',
  );
});

test('a log entry that only the public instance could vouch for is not supported, for evidence that is good otherwise', () => {
  const wanting = chainAttestor({ chain: pki.chainPem, requireLog: true });
  const log = createRekorLog();
  const isUnsupported = (error: unknown) => error instanceof AppError && error.code === 'policy-unsupported';
  assert.throws(() => verify(log.log(signedEvidence(pki)), wanting), isUnsupported);
  assert.equal(defectCode(log.log(signedEvidence(pki, { digest: sha256('x') })), wanting), 'subject-mismatch');
  assert.equal(defectCode(log.log(signedEvidence(makePki())), wanting), 'chain-untrusted');
  assert.equal(defectCode(log.log(signedEvidence(pki)), strict), 'held');
});

test('a plain key verifies its own signatures and no others', () => {
  const pem = pki.leaf.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const evidence = verify(keyEvidence(pki.leaf), keyAttestor(pem));
  assert.equal(evidence.held, true);
  assert.match(evidence.signer?.fingerprint ?? '', /^[0-9a-f]{64}$/);
  assert.equal(defectCode(keyEvidence(pki.root), keyAttestor(pem)), 'signature-invalid');
  assert.equal(defectCode(keyEvidence(pki.leaf), keyAttestor(pem, true)), 'log-entry-missing');
});

test('a chain without a self-signed root trusts nothing, and is refused', () => {
  assert.throws(() => chainAttestor({ chain: pki.intermediate.pem }), /no self-signed root/);
});
