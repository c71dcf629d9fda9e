import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COSIGN_SIGN, SIGSTORE_BUNDLE } from '#model/media-types.ts';
import type { Attestor } from '#verification/attestor.ts';
import { exactly } from '#verification/attestor.ts';
import { rootAttestor, witnessedKeyAttestor } from '#verification/root-attestor.ts';
import { parseTrustedRoot } from '#verification/trusted-root.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { ISSUER } from '../../support/fulcio-ca.ts';
import { type BundleSpec, createPrivateSigstore, LOGGED_AT, rawBundle } from '../../support/private-sigstore.ts';
import { SUBJECT, statementOf } from '../../support/signed-evidence.ts';

const sigstore = createPrivateSigstore();
const root = parseTrustedRoot(Buffer.from(JSON.stringify(sigstore.trustedRoot())));
const identity = { subject: exactly('https://attestry.test/builder'), issuer: exactly(ISSUER) };
const strict = rootAttestor(root, identity);
const compat: Attestor = { ...strict, profile: 'compat' };
const strictKey = witnessedKeyAttestor(sigstore.signer.publicKey, root);
const compatKey: Attestor = { ...strictKey, profile: 'compat' };
const NOW = new Date('2025-06-01T00:00:00Z');

function judge(json: unknown, attestor: Attestor, now = NOW) {
  return verifyEvidence(rawBundle(json), { digest: SUBJECT, attestor, now });
}

function code(json: unknown, attestor: Attestor): string {
  const { held } = judge(json, attestor);
  return held === true ? 'held' : held.code;
}

const GOOD: readonly (readonly [string, BundleSpec])[] = [
  ['Rekor v1', {}],
  ['Rekor v1 and a timestamp', { stamped: LOGGED_AT }],
  ['Rekor v2 and a timestamp', { logs: ['v2'], stamped: LOGGED_AT }],
  ['both logs', { logs: ['v1', 'v2'] }],
  ['version 0.1', { mediaType: `${SIGSTORE_BUNDLE}+json;version=0.1` }],
  ['version 0.2', { mediaType: `${SIGSTORE_BUNDLE}+json;version=0.2` }],
  ['version 0.3 in its first writing', { mediaType: `${SIGSTORE_BUNDLE}+json;version=0.3` }],
];

for (const [name, spec] of GOOD) {
  test(`a bundle with ${name} holds, of a certificate and of a key`, () => {
    assert.equal(code(sigstore.bundle(spec), strict), 'held');
    assert.equal(code(sigstore.bundle(spec), compat), 'held');
    assert.equal(code(sigstore.bundle({ ...spec, plain: true }), strictKey), 'held');
    assert.equal(code(sigstore.bundle({ ...spec, plain: true }), compatKey), 'held');
  });
}

test('what a bundle says, and who signed it', () => {
  const { statement, signer, claims, payloadDigest } = judge(sigstore.bundle(), strict);
  assert.equal(statement?.predicateType, statementOf().predicateType);
  assert.deepEqual(signer?.subjectAlternativeNames, ['https://attestry.test/builder']);
  assert.equal(claims?.issuer, ISSUER);
  assert.match(payloadDigest ?? '', /^sha256:/);
});

test('an image signature is a statement of its own type, with the annotations of its signer', () => {
  const [subject] = statementOf().subject;
  const payload = JSON.stringify({
    ...statementOf({ type: COSIGN_SIGN, predicate: {} }),
    subject: [{ ...subject, annotations: { stage: 'release' } }],
  });
  const evidence = judge(sigstore.bundle({ payload }), strict);
  assert.equal(evidence.held, true);
  assert.deepEqual(evidence.signing, { image: SUBJECT, annotations: { stage: 'release' } });
});

test('every kind of key signs bundles', () => {
  for (const [keyKind, hash] of [
    ['p384', 'sha384'],
    ['p384', 'sha256'],
    ['p521', 'sha512'],
    ['rsa2048', 'sha256'],
    ['ed25519', 'sha256'],
  ] as const) {
    const signer = sigstore.fulcio.issue({ keyKind });
    assert.equal(code(sigstore.bundle({ signer, hash }), strict), 'held', `${keyKind} ${hash}`);
    assert.equal(code(sigstore.bundle({ signer, hash }), compat), 'held', `${keyKind} ${hash}`);
  }
  const rsa = sigstore.fulcio.issue({ keyKind: 'rsa2048' });
  assert.equal(code(sigstore.bundle({ signer: rsa, hash: 'sha512' }), strict), 'held');
  assert.equal(code(sigstore.bundle({ signer: rsa, hash: 'sha512' }), compat), 'signature-invalid');
});

test('another identity, another issuer and a key in the place of a certificate are refused', () => {
  const other = sigstore.fulcio.issue({
    subjectAlternativeNames: [{ type: 'uri', value: 'https://attestry.test/other' }],
  });
  assert.equal(code(sigstore.bundle({ signer: other }), strict), 'identity-mismatch');
  const elsewhere = rootAttestor(root, { issuer: exactly('https://other.test') });
  assert.equal(code(sigstore.bundle(), elsewhere), 'identity-mismatch');
  assert.equal(code(sigstore.bundle({ plain: true }), strict), 'certificate-missing');
  assert.equal(code(sigstore.bundle(), compatKey), 'signer-kind');
  // By our own reading the key is what counts, and the certificate beside it is that of this key.
  assert.equal(code(sigstore.bundle(), strictKey), 'held');
});

test('a keyid is a hint: sigstore-go wants it to be the fingerprint of the key, the strict reading asks nothing', () => {
  const bundle = sigstore.bundle();
  const [signature] = bundle.dsseEnvelope.signatures;
  const named = { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, signatures: [{ ...signature, keyid: 'a key' }] } };
  assert.equal(code(named, strict), 'held');
  assert.equal(code(named, compat), 'signature-invalid');
});

test('a statement about another image does not hold', () => {
  const payload = JSON.stringify(statementOf({ digest: `sha256:${'0'.repeat(64)}` }));
  assert.equal(code(sigstore.bundle({ payload }), strict), 'subject-mismatch');
});
