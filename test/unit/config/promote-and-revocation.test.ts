import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText, MINIMAL } from '../../support/config-text.ts';

const TRUSTS = (trust: string) => `${MINIMAL}trusts:\n  - { id: company, ${trust} }\n`;

async function complaints(text: string): Promise<readonly (readonly [string, string])[]> {
  const { problems } = await checkText(text);
  return problems.map(({ key, message }) => [key, message]);
}

function promoting(promote: string, type = 'cyclonedx'): string {
  return MINIMAL.replace(
    '{ type: cyclonedx, signer: release }',
    `{ type: ${type}, signer: release, promote: ${promote} }`,
  );
}

test('evidence is copied from repositories that can be read', async () => {
  for (const from of [
    'registry.example.com/staging/app',
    'registry.example.com/staging/**',
    '"*/staging/**"',
    '"**"',
  ]) {
    assert.deepEqual(await complaints(promoting(`{ from: ${from} }`)), []);
  }
  const at = 'rules[0].evidence[0].promote.from[0]';
  const cases: readonly (readonly [string, RegExp])[] = [
    ['elsewhere.example.com/team/app', /elsewhere\.example\.com is not configured/],
    ['registry.example.com', /names no repository/],
    ['"*"', /names no repository/],
  ];
  for (const [from, wanted] of cases) {
    const [found] = await complaints(promoting(`{ from: [${from}] }`));
    assert.equal(found?.[0], at);
    assert.match(found?.[1] ?? '', wanted);
  }
});

test('only what is made of the image can be promoted', async () => {
  for (const type of ['openvex', 'vsa']) {
    const found = await complaints(promoting('{ from: registry.example.com/a }', type));
    assert.ok(
      found.some(([key, message]) => key.endsWith('.promote') && /is for what is made/.test(message)),
      type,
    );
  }
});

const RESPONDER = 'trusts[0].revocation.ocsp.responder';

test('revocation is asked of certificates, by lists and responders that have a form', async () => {
  const fine =
    'revocation: { check: leaf, lists: ["https://pki.example.com/ca.crl", "env:LIST"], hosts: [pki.example.com] }';
  assert.deepEqual(await complaints(TRUSTS(`caRoots: roots.pem, ${fine}`)), []);
  for (const ocsp of ['true', 'false', '{}', '{ responder: "http://ocsp.example.com", nonce: false }']) {
    assert.deepEqual(
      await complaints(TRUSTS(`caRoots: roots.pem, revocation: { check: leaf, ocsp: ${ocsp} }`)),
      [],
      ocsp,
    );
  }
  for (const [trust, key] of [
    ['key: team.pub, revocation: { check: leaf }', 'trusts[0].revocation'],
    ['caRoots: roots.pem, revocation: {}', 'trusts[0].revocation.check'],
    ['caRoots: roots.pem, revocation: { check: all }', 'trusts[0].revocation.check'],
    ['caRoots: roots.pem, revocation: { check: leaf, lists: ["ftp://x/ca.crl"] }', 'trusts[0].revocation.lists[0]'],
    ['caRoots: roots.pem, revocation: { check: leaf, hosts: ["https://x"] }', 'trusts[0].revocation.hosts[0]'],
    ['caRoots: roots.pem, revocation: { check: leaf, ocsp: { responder: "ldap://x" } }', RESPONDER],
    ['caRoots: roots.pem, revocation: { check: leaf, ocsp: { responder: "http://me:secret@x" } }', RESPONDER],
    ['caRoots: roots.pem, revocation: { check: leaf, ocsp: { nonce: 1 } }', 'trusts[0].revocation.ocsp.nonce'],
    ['caRoots: roots.pem, revocation: { check: leaf, ocsp: "http://x" }', 'trusts[0].revocation.ocsp'],
  ] as const) {
    const found = await complaints(TRUSTS(trust));
    assert.deepEqual(
      found.map(([where]) => where),
      [key],
      trust,
    );
  }
});
