import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawEvidence } from '#model/evidence.ts';
import { parseTrustedRoot } from '#verification/trusted-root.ts';
import { clusterPolicy, judgeUnder, type Situation } from '../../support/cluster-policy.ts';
import { ISSUER } from '../../support/fulcio-ca.ts';
import { createPrivateSigstore, LOGGED_AT } from '../../support/private-sigstore.ts';
import { statementOf } from '../../support/signed-evidence.ts';

const PROVENANCE = 'https://slsa.dev/provenance/v1';
const sigstore = createPrivateSigstore();
const root = parseTrustedRoot(Buffer.from(JSON.stringify(sigstore.trustedRoot())));
const SUBJECT_NAME = 'https://attestry.test/builder';
const KEYLESS = { subject: SUBJECT_NAME, issuer: ISSUER, rekor: { url: 'https://rekor.attestry.test' } };
const publicKeys = String(sigstore.signer.publicKey.export({ type: 'spki', format: 'pem' }));
const ALONE = { rekor: { ignoreTlog: true }, ctlog: { ignoreSCT: true } };

type Members = Readonly<Record<string, unknown>>;

function policy(entry: Members, attestation: Members = {}, element: Members = {}): string {
  const attestations = [{ type: PROVENANCE, attestors: [{ entries: [entry] }], ...attestation }];
  return clusterPolicy([], { element: { type: 'SigstoreBundle', attestations, ...element } });
}

function judge(text: string, evidence: readonly RawEvidence[], situation: Situation = { root }) {
  const { outcome, codes, reasons } = judgeUnder(text, { evidence, ...situation });
  return { outcome, codes, reasons, gist: `${outcome}: ${codes.join(' ')}` };
}

test('keyless: a logged bundle holds under exact names and under unanchored expressions', () => {
  assert.equal(judge(policy({ keyless: KEYLESS }), [sigstore.raw()]).gist, 'pass: verified');
  const { rekor } = KEYLESS;
  const expressions = { subjectRegExp: 'test/build', issuerRegExp: '.*', rekor };
  assert.equal(judge(policy({ keyless: expressions }), [sigstore.raw()]).gist, 'pass: verified');
});

test('a wildcard is a text as any other, unlike in the type Cosign', () => {
  const { gist, reasons } = judge(policy({ keyless: { ...KEYLESS, subject: 'https://attestry.test/*' } }), [
    sigstore.raw(),
  ]);
  assert.match(gist, /^fail: .*identity-mismatch/);
  assert.match(JSON.stringify(reasons), /attestry\.test\/builder/);
});

test('a valid bundle of somebody else beside a good one does no harm', () => {
  const other = sigstore.raw({
    signer: sigstore.fulcio.issue({ subjectAlternativeNames: [{ type: 'uri', value: 'https://x.test' }] }),
  });
  assert.equal(judge(policy({ keyless: KEYLESS }), [other, sigstore.raw()]).gist, 'pass: verified');
  assert.match(judge(policy({ keyless: KEYLESS }), [other]).gist, /^fail/);
});

test('every bundle of the type that holds must meet the conditions', () => {
  const conditions = [{ all: [{ key: '{{ level }}', operator: 'Equals', value: 3 }] }];
  const of = (level: number) => sigstore.raw({ payload: JSON.stringify(statementOf({ predicate: { level } })) });
  const text = policy({ keyless: KEYLESS }, { conditions });
  assert.equal(judge(text, [of(3)]).outcome, 'pass');
  assert.equal(judge(text, [of(3), of(2)]).gist, 'fail: condition-failed');
});

test('anything that the registry lists as a bundle and is none ends the reading', () => {
  const good = sigstore.raw();
  const junk = { ...sigstore.raw(), bytes: Buffer.from('{}') };
  const { bytes: _, ...gone } = good;
  for (const bad of [junk, gone]) {
    const { gist, reasons } = judge(policy({ keyless: KEYLESS }), [good, bad]);
    assert.equal(gist, 'fail: evidence-invalid');
    assert.match(reasons[0]?.next ?? '', /delete the referrer sha256:/);
  }
});

test('fifty referrers of any kind are read, and fifty-one refuse the image', () => {
  const listing = (listed: number): Situation => ({
    root,
    content: { ok: true, evidence: [sigstore.raw()], listed },
  });
  assert.equal(judge(policy({ keyless: KEYLESS }), [], listing(50)).outcome, 'pass');
  const { gist, reasons } = judge(policy({ keyless: KEYLESS }), [], listing(51));
  assert.deepEqual([gist, reasons[0]?.found], ['fail: evidence-invalid', '51']);
});

test('a key with both ignores needs no trusted root; with a log it does, and without one that is an error', () => {
  const plain = sigstore.raw({ plain: true });
  assert.equal(judge(policy({ keys: { publicKeys, ...ALONE } }), [plain], {}).gist, 'pass: verified');
  assert.equal(judge(policy({ keys: { publicKeys } }), [plain]).gist, 'pass: verified');
  const unknown = judge(policy({ keys: { publicKeys } }), [plain], {});
  assert.equal(unknown.gist, 'error: trust-unavailable');
  assert.match(unknown.reasons[0]?.next ?? '', /--trusted-root/);
});

test('a key that is another hash, and a bundle with a certificate under a key, do not hold', () => {
  const plain = sigstore.raw({ plain: true });
  const sha512 = policy({ keys: { publicKeys, signatureAlgorithm: 'sha512', ...ALONE } });
  assert.match(judge(sha512, [plain]).gist, /^fail: .*signature-invalid/);
  assert.match(judge(policy({ keys: { publicKeys, ...ALONE } }), [sigstore.raw()]).gist, /^fail: .*signer-kind/);
});

for (const [name, entry] of [
  ['certificates', { certificates: { certChain: 'x' } }],
  ['keyless without an issuer', { keyless: { subject: 'x', rekor: KEYLESS.rekor } }],
  ['ignoreSCT with a log wanted', { keyless: { ...KEYLESS, ctlog: { ignoreSCT: true } } }],
  ['an expression that is none', { keyless: { ...KEYLESS, subjectRegExp: '(' } }],
  ['a key that is none', { keys: { publicKeys: '-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----' } }],
  ['a nested attestor below an attestation', { attestor: { entries: [{ keyless: KEYLESS }] } }],
] as const) {
  test(`${name}: nobody can satisfy it, and the verdict says so`, () => {
    assert.equal(judge(policy(entry), [sigstore.raw()]).gist, 'fail: attestor-impossible');
  });
}

test('an attestation without attestors is satisfied by nobody', () => {
  assert.equal(judge(policy({}, { attestors: [] }), [sigstore.raw()]).gist, 'fail: attestor-impossible');
});

test("attestors of the rule take a bundle of any type as the image's signature", () => {
  const sbom = sigstore.raw({ payload: JSON.stringify(statementOf({ type: 'https://cyclonedx.org/bom' })) });
  const attestors = [{ entries: [{ keyless: KEYLESS }] }];
  const text = policy({}, {}, { attestations: [], attestors });
  assert.equal(judge(text, [sbom]).gist, 'pass: verified');
  assert.match(judge(text, []).gist, /^fail: evidence-missing/);
});

test('without a log, timestamps of an authority vouch for the time', () => {
  const keyless = { ...KEYLESS, rekor: { url: 'https://rekor.attestry.test', ignoreTlog: true } };
  assert.equal(judge(policy({ keyless }), [sigstore.raw({ logs: [], stamped: LOGGED_AT })]).gist, 'pass: verified');
  assert.match(judge(policy({ keyless }), [sigstore.raw({ logs: [] })]).gist, /^fail: .*timestamp-missing/);
});

test('the repository of the policy is passed over: only the image has bundles', () => {
  const text = policy({ keyless: KEYLESS }, {}, { repository: 'registry.test/elsewhere' });
  const { announced } = judgeUnder(text, { root, evidence: [sigstore.raw()] });
  assert.deepEqual(announced, ['registry.test/team/app']);
});
