import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createKeys } from '#compose/keys.ts';
import { createLiveInstallation } from '#compose/live-installation.ts';
import { createOutbound } from '#compose/outbound.ts';
import { createSignerRenewal, type Renewal } from '#compose/signer-renewal.ts';
import { openSigners } from '#compose/signers.ts';
import { createSecretResolver } from '#config/secrets.ts';
import type { AppError } from '#model/errors.ts';
import { SignerOptions } from '#signing/options.ts';
import { issueFrom, makePki } from '../../support/pki.ts';
import { makeScratch } from '../../support/scratch.ts';
import { writeSigningFiles } from '../../support/signing-files.ts';

const NOW = () => new Date('2026-06-01T00:00:00Z');

/** A signer from files, and what its renewal tells. */
async function ground() {
  const stack = new AsyncDisposableStack();
  const scratch = stack.use(await makeScratch());
  const pki = makePki();
  const files = await writeSigningFiles(scratch, 'ca', pki);
  const option = SignerOptions.parse({
    id: 'release',
    type: 'x509',
    key: `file:${files.key}`,
    certificate: files.certificate,
    chain: files.chain,
  });
  const env = {};
  const secrets = createSecretResolver({ env, readFileSync: (path) => readFileSync(path) });
  const outbound = stack.use(createOutbound({ env, readFile }));
  const keys = stack.use(createKeys({ secrets, outbound, readFile, now: NOW }));
  const surroundings = { secrets, env, readFile, now: NOW, randomBytes: () => new Uint8Array(16), outbound, keys };
  const opened = await openSigners({ witnesses: [], signers: [option] }, { ...surroundings, trusts: new Map() });
  const parts = { source: 'urn:test', rules: [], trusts: new Map(), policies: new Map() };
  const live = createLiveInstallation({ ...parts, signers: opened.identities });
  const renewed: Renewal[] = [];
  const refused: AppError[] = [];
  const renewal = createSignerRenewal({
    signers: [option],
    live,
    secrets,
    readFile,
    reload: opened.reload,
    onRenewed: async (each) => void renewed.push(each),
    onRefused: (_id, error) => void refused.push(error),
  });
  const present = () => live.signers.get('release');
  return { pki, scratch, live, renewal, renewed, refused, present, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('a new certificate of the same files takes over; the one before it stays our own', async () => {
  await using at = await ground();
  await at.renewal.check();
  assert.deepEqual([at.renewed, at.refused], [[], []]);
  const next = issueFrom(at.pki.intermediate, { key: at.pki.leaf.key, notAfter: new Date('2044-01-01T00:00:00Z') });
  const before = at.present()?.signer.fingerprint;
  await at.scratch.write('ca/certificate.pem', next.pem);
  await at.renewal.check();
  await at.renewal.check();
  assert.equal(at.renewed.length, 1);
  assert.equal(at.renewed[0]?.from.fingerprint, before);
  assert.equal(at.present()?.signer.fingerprint, at.renewed[0]?.to.fingerprint);
  assert.deepEqual(at.present()?.former, [{ fingerprint: before, pem: at.pki.leaf.pem }]);
  // And back: what signs now is no former signer.
  await at.scratch.write('ca/certificate.pem', at.pki.leaf.pem);
  await at.renewal.check();
  assert.equal(at.present()?.signer.fingerprint, before);
  assert.deepEqual(
    at.present()?.former.map(({ fingerprint }) => fingerprint),
    [at.renewed[0]?.to.fingerprint],
  );
});

test('a new certificate with a new key takes over once both are there', async () => {
  await using at = await ground();
  const next = issueFrom(at.pki.intermediate);
  await at.scratch.write('ca/certificate.pem', next.pem);
  await at.renewal.check();
  await at.renewal.check();
  assert.equal(at.refused.length, 1, 'the same content is judged once');
  assert.equal(at.refused[0]?.code, 'key-mismatch');
  assert.equal(at.present()?.signer.fingerprint === at.renewed[0]?.to.fingerprint, false);
  await at.scratch.write('ca/key.pem', next.keyPem);
  await at.renewal.check();
  assert.equal(at.renewed.length, 1);
  const signer = at.present()?.signer;
  assert.ok(signer?.kind === 'fixed');
  assert.equal(signer.chain[0]?.pem.trim(), next.pem.trim());
});

test('a certificate that the linter refuses, or that is gone, leaves the present one signing', async () => {
  await using at = await ground();
  const before = at.present();
  const texts = [
    issueFrom(at.pki.intermediate, { key: at.pki.leaf.key, subjectAlternativeNames: null }).pem,
    issueFrom(at.pki.intermediate, { key: at.pki.leaf.key, notAfter: new Date('2026-01-01T00:00:00Z') }).pem,
    'half a certifica',
    '',
  ];
  for (const text of texts) {
    await at.scratch.write('ca/certificate.pem', text);
    await at.renewal.check();
  }
  assert.deepEqual(
    at.refused.map(({ code }) => code),
    ['certificate-refused', 'certificate-refused', 'certificate-unreadable', 'certificate-unreadable'],
  );
  assert.equal(at.present(), before);
  assert.deepEqual(at.renewed, []);
  await at.scratch.write('ca/certificate.pem', at.pki.leaf.pem);
  await at.renewal.check();
  assert.equal(at.present(), before);
});
