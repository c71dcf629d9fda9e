import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseDocument } from 'yaml';
import { parseImageRef } from '#model/image-ref.ts';
import { compilePolicies } from '#policy/load.ts';
import { makePki } from '../../support/pki.ts';
import { SUBJECT, signedEvidence } from '../../support/signed-evidence.ts';

const FOLDER = new URL('../../fixtures/policies/', import.meta.url);
const keyless = readFileSync(new URL('check-image-keyless.yaml', FOLDER), 'utf8');
const x509 = readFileSync(new URL('check-image-x509.yaml', FOLDER), 'utf8');
const pki = makePki();

function judge(text: string, image = 'registry.test/my_account/my_image:latest') {
  const [policy] = compilePolicies(text, { source: 'policy.yaml' });
  assert.ok(policy);
  const verdict = policy.evaluate({
    image: parseImageRef(image),
    digest: SUBJECT,
    now: new Date('2026-01-01T00:00:00Z'),
    content: (location) => ({ ok: true, evidence: [signedEvidence(pki, { location })] }),
  });
  return { policy, verdict, codes: verdict.reasons.map(({ code }) => code) };
}

/** The policy as a reader of the page completes it: hosts in front, and the CA that really signed. */
function completed(text: string, certificates: Readonly<Record<string, unknown>> = {}): string {
  const document = parseDocument(
    text
      .replaceAll('"my_account/', '"registry.test/my_account/')
      .replaceAll('- my_account/', '- registry.test/my_account/'),
  );
  const path = ['spec', 'rules', 0, 'verifyImages', 0, 'attestations', 0, 'attestors', 0, 'entries', 0, 'certificates'];
  if (document.hasIn(path)) {
    document.setIn([...path, 'certChain'], pki.chainPem);
    for (const [name, value] of Object.entries(certificates))
      document.setIn([...path, name], document.createNode(value));
  }
  return document.toString();
}

for (const [name, text] of [
  ['keyless', keyless],
  ['X.509', x509],
] as const) {
  test(`the ${name} policy as printed matches nothing, and both places that lack a host are named`, () => {
    const { verdict, policy } = judge(text);
    assert.equal(verdict.outcome, 'skip');
    const element = 'spec.rules[0].verifyImages[0]';
    assert.deepEqual(
      verdict.reasons.map(({ code, clause }) => [code, clause]),
      [
        ['image-not-matched', `${element}.imageReferences`],
        ['reference-without-host', `${element}.imageReferences[0]`],
        ['reference-without-host', `${element}.repository`],
      ],
    );
    const [, reference, repository] = verdict.reasons;
    assert.match(reference?.next ?? '', /registry\.example\.com\/my_account\/my_image\*/);
    assert.match(repository?.next ?? '', /registry\.example\.com\/my_account\/evidence\/container/);
    const hostless = policy.problems.filter(({ code }) => code === 'reference-without-host');
    assert.equal(hostless.length, 2);
    assert.deepEqual(policy.needs(parseImageRef('registry.test/my_account/my_image'), SUBJECT).locations, []);
  });
}

test('with hosts, the X.509 policy fails on the missing log entry', () => {
  const { verdict, codes, policy } = judge(completed(x509));
  assert.equal(verdict.outcome, 'fail');
  assert.deepEqual(codes, ['evidence-invalid', 'log-entry-missing']);
  assert.deepEqual(policy.needs(parseImageRef('registry.test/my_account/my_image'), SUBJECT).locations, [
    { registry: 'registry.test', repository: 'my_account/evidence/container', digest: SUBJECT },
  ]);
});

test('with hosts and one of the ignores alone it still fails', () => {
  assert.deepEqual(judge(completed(x509, { rekor: { ignoreTlog: true } })).codes, ['evidence-invalid', 'sct-missing']);
  assert.deepEqual(judge(completed(x509, { ctlog: { ignoreSCT: true } })).codes, [
    'evidence-invalid',
    'log-entry-missing',
  ]);
});

test('with hosts, rekor.ignoreTlog and ctlog.ignoreSCT it passes', () => {
  const { verdict, codes } = judge(completed(x509, { rekor: { ignoreTlog: true }, ctlog: { ignoreSCT: true } }));
  assert.equal(verdict.outcome, 'pass');
  assert.deepEqual(codes, ['verified']);
});

test('with hosts, the keyless policy is refused by name', () => {
  const { verdict, codes } = judge(completed(keyless));
  assert.equal(verdict.outcome, 'error');
  assert.deepEqual(codes, ['policy-unsupported']);
  assert.match(verdict.reasons[0]?.clause ?? '', /entries\[0\]\.keyless$/);
});
