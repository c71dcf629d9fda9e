import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOutbound } from '#compose/outbound.ts';
import { createTrustSources } from '#compose/trust-sources.ts';
import { loadTrusts } from '#compose/trusts.ts';
import { AppError } from '#model/errors.ts';
import type { TrustMaterial } from '#trust/material.ts';
import { TrustOptions } from '#trust/options.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { failure } from '../../support/failure.ts';
import { ISSUER } from '../../support/fulcio-ca.ts';
import { createPrivateSigstore, rawBundle } from '../../support/private-sigstore.ts';
import { SUBJECT } from '../../support/signed-evidence.ts';

const sigstore = createPrivateSigstore();
const NOW = new Date('2025-06-01T00:00:00Z');
const FILES: Readonly<Record<string, string>> = {
  'root.json': JSON.stringify(sigstore.trustedRoot()),
  'chain.pem': sigstore.pki.chainPem,
  'rekor.pub': sigstore.rekorV1.pem,
  'rekor2.pub': sigstore.rekorV2.pem,
  'ctlog.pub': sigstore.fulcio.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  'clock.pem': `${sigstore.clock.pem}${sigstore.stampRoot.pem}`,
  'signer.pub': sigstore.signer.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
};

async function readFile(path: string): Promise<Buffer> {
  const text = FILES[path];
  if (text === undefined) throw new AppError('config-invalid', `${path}: there is no such file`);
  return Buffer.from(text);
}

async function judge(given: object, bundle: unknown = sigstore.bundle(), parts: Parameters<typeof loadTrusts>[2] = {}) {
  const trusts = await loadTrusts([TrustOptions.parse({ id: 't', ...given })], readFile, parts);
  const attestor = trusts.get('t');
  assert.ok(attestor);
  const { held } = verifyEvidence(rawBundle(bundle), { digest: SUBJECT, attestor, now: NOW });
  return held === true ? 'held' : held.code;
}

const IDENTITY = { subject: 'https://attestry.test/builder', issuer: ISSUER };

test('the same evidence holds under a trusted root, and under the same keys in PEM', async () => {
  assert.equal(await judge({ trustedRoot: 'root.json', identity: IDENTITY }), 'held');
  const pem = {
    certificateChain: 'chain.pem',
    logs: ['rekor.pub', { key: 'rekor2.pub', origin: 'rekor2.attestry.test' }],
    certificateLogs: ['ctlog.pub'],
    timestampAuthorities: ['clock.pem'],
  };
  assert.equal(await judge(pem), 'held');
  const stamped = sigstore.bundle({ logs: ['v2'], stamped: new Date('2024-03-01T00:00:00Z') });
  assert.equal(await judge(pem, stamped), 'held');
  assert.equal(await judge({ ...pem, logs: ['rekor.pub'] }, stamped), 'log-entry-invalid');
  assert.equal(await judge({ ...pem, timestamps: 'required' }), 'timestamp-missing');
  assert.equal(await judge({ ...pem, identity: { subjectRegExp: 'https://other\\.test/.*' } }), 'identity-mismatch');
});

test('a plain key asks its logs and nobody else', async () => {
  const plain = sigstore.bundle({ plain: true });
  assert.equal(await judge({ key: 'signer.pub' }, plain), 'held');
  assert.equal(await judge({ key: 'signer.pub', logs: ['rekor.pub'] }, plain), 'held');
  const bare = sigstore.bundle({ plain: true, logs: [] });
  assert.equal(await judge({ key: 'signer.pub' }, bare), 'held');
  assert.equal(await judge({ key: 'signer.pub', logs: ['rekor.pub'] }, bare), 'log-entry-missing');
});

test('fetched material is the newest at each judgement, and could-not-check while there is none', async () => {
  const tuf = { tuf: { mirror: 'https://tuf.example.com', root: 'tuf.json' }, identity: IDENTITY };
  assert.equal((await failure(judge(tuf))).code, 'trust-unavailable');
  let material: TrustMaterial | undefined;
  const current = () => {
    if (material) return material;
    throw new AppError('trust-unavailable', 'nothing yet');
  };
  const trusts = await loadTrusts([TrustOptions.parse({ id: 't', ...tuf })], readFile, {
    sources: new Map([['t', { current }]]),
  });
  const attestor = trusts.get('t');
  assert.ok(attestor?.kind === 'certificate-chain' && attestor.source !== undefined);
  const check = () => verifyEvidence(sigstore.raw(), { digest: SUBJECT, attestor, now: NOW }).held;
  assert.throws(check, { code: 'trust-unavailable' });
  const materialOf = (root: object) => ({ bytes: Buffer.from(JSON.stringify(root)), expires: NOW, fetchedAt: NOW });
  material = materialOf(sigstore.trustedRoot());
  assert.equal(check(), true);
  material = materialOf({ ...sigstore.trustedRoot(), certificateAuthorities: [] });
  assert.notEqual(check(), true);
  // What is copied of it is what it is now.
  assert.equal({ ...attestor }.authorities.length, 0);
});

test('a file that is no root metadata is found at the start', async () => {
  const parts = { env: {}, readFile, now: () => NOW, randomBytes: (count: number) => Buffer.alloc(count) };
  await using outbound = createOutbound(parts);
  const option = TrustOptions.parse({ id: 't', tuf: { mirror: 'https://tuf.example.com', root: 'root.json' } });
  const error = await failure(createTrustSources([option], { ...parts, outbound }));
  assert.equal(error.code, 'trust-unreadable');
});
