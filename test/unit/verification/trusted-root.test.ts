import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTrustedRoot } from '#verification/trusted-root.ts';
import { failure } from '../../support/failure.ts';
import { createPrivateSigstore } from '../../support/private-sigstore.ts';

const sigstore = createPrivateSigstore();
const ROOT = sigstore.trustedRoot();

function read(root: object) {
  return parseTrustedRoot(Buffer.from(JSON.stringify(root)));
}

test('a trusted root gives CAs, logs and authorities with their windows', () => {
  const root = read({
    ...ROOT,
    mediaType: 'application/vnd.dev.sigstore.trustedroot.v0.2+json',
    certificateAuthorities: ROOT.certificateAuthorities.map((each) => ({
      ...each,
      operator: 'attestry.test',
      validFor: { start: '2020-01-01T00:00:00.5+01:00', end: '2030-01-01T00:00:00Z' },
    })),
  });
  const [authority] = root.certificateAuthorities;
  assert.deepEqual(authority?.validFor, {
    start: new Date('2019-12-31T23:00:00.500Z'),
    end: new Date('2030-01-01T00:00:00Z'),
  });
  assert.equal(authority?.anchors[0]?.pem, sigstore.pki.root.pem);
  assert.equal(authority?.intermediates[0]?.pem, sigstore.pki.intermediate.pem);
  assert.deepEqual(
    root.logs.map(({ origin }) => origin),
    ['rekor.attestry.test', 'rekor2.attestry.test'],
  );
  assert.equal(root.certificateLogs.length, 1);
  const [clock] = root.timestampAuthorities;
  assert.equal(clock?.certificate?.pem, sigstore.clock.pem);
  assert.equal(clock?.roots[0]?.pem, sigstore.stampRoot.pem);
});

test('an authority may be its root alone, and everything may be absent', () => {
  const [clock] = ROOT.timestampAuthorities;
  const certChain = { certificates: clock?.certChain.certificates.slice(1) };
  const root = read({ mediaType: ROOT.mediaType, timestampAuthorities: [{ ...clock, certChain }] });
  assert.equal(root.timestampAuthorities[0]?.certificate, undefined);
  assert.equal(root.timestampAuthorities[0]?.roots.length, 1);
  assert.deepEqual([root.logs, root.certificateLogs, root.certificateAuthorities], [[], [], []]);
});

test('what is wrong is named by its place', async () => {
  const [log] = ROOT.tlogs;
  const [authority] = ROOT.certificateAuthorities;
  const bad: readonly (readonly [object, RegExp])[] = [
    [{ ...ROOT, mediaType: 'application/json' }, /mediaType/],
    [{ ...ROOT, more: 1 }, /"more" that is not known/],
    [{ ...ROOT, tlogs: [{ ...log, hashAlgorithm: 'SHA2_512' }] }, /tlogs\[0\]\.hashAlgorithm/],
    [
      { ...ROOT, tlogs: [{ ...log, publicKey: { ...log?.publicKey, validFor: {} } }] },
      /tlogs\[0\]\.publicKey\.validFor\.start/,
    ],
    [
      { ...ROOT, tlogs: [{ ...log, publicKey: { ...log?.publicKey, rawBytes: 'AAAA' } }] },
      /tlogs\[0\]\.publicKey\.rawBytes/,
    ],
    [
      { ...ROOT, certificateAuthorities: [{ ...authority, certChain: { certificates: [] } }] },
      /certChain holds no certificate/,
    ],
    [
      { ...ROOT, certificateAuthorities: [{ ...authority, certChain: { certificates: [{ rawBytes: 'AAAA' }] } }] },
      /certificates\[0\]/,
    ],
    [
      { ...ROOT, certificateAuthorities: [{ ...authority, validFor: { end: 'tomorrow' } }] },
      /validFor\.end is no time/,
    ],
  ];
  for (const [root, wanted] of bad) {
    const { code, message } = await failure((async () => read(root))());
    assert.equal(code, 'trust-unreadable');
    assert.match(message, wanted);
  }
});
