import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COSIGN_RFC3161 } from '#model/media-types.ts';
import type { Attestor } from '#verification/attestor.ts';
import { readPemMaterial } from '#verification/pem-material.ts';
import { materialAttestor, rootAttestor, type WitnessDemands } from '#verification/root-attestor.ts';
import { parseTrustedRoot } from '#verification/trusted-root.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { createPrivateSigstore, rawBundle } from '../../support/private-sigstore.ts';
import { createRekorLog } from '../../support/rekor-log.ts';
import { SUBJECT, signedEvidence } from '../../support/signed-evidence.ts';
import { timestampResponse } from '../../support/timestamp.ts';

const sigstore = createPrivateSigstore();
const NOW = new Date('2025-06-01T00:00:00Z');
const [BEFORE, WHILE, AFTER] = ['2023-12-31T23:00:00Z', '2024-01-01T00:05:00Z', '2024-01-01T00:11:00Z'].map(
  (text) => new Date(text),
) as [Date, Date, Date];
/** Ten minutes, long over. */
const shortLived = { notBefore: new Date('2024-01-01T00:00:00Z'), notAfter: new Date('2024-01-01T00:10:00Z') };
const signer = sigstore.fulcio.issue(shortLived);

function rootWith(change: (root: ReturnType<typeof sigstore.trustedRoot>) => object = (root) => root) {
  return parseTrustedRoot(Buffer.from(JSON.stringify(change(sigstore.trustedRoot()))));
}

function code(json: unknown, attestor: Attestor, now = NOW): string {
  const { held } = verifyEvidence(rawBundle(json), { digest: SUBJECT, attestor, now });
  return held === true ? 'held' : held.code;
}

const strict = (demands: WitnessDemands = {}) => rootAttestor(rootWith(), undefined, demands);

test('a certificate that has ended counts for what a log or an authority saw while it was valid, and for nothing else', () => {
  assert.equal(code(sigstore.bundle({ signer, integratedTime: WHILE }), strict()), 'held');
  assert.equal(code(sigstore.bundle({ signer, logs: ['v2'], stamped: WHILE }), strict()), 'held');
  assert.equal(code(sigstore.bundle({ signer, integratedTime: BEFORE }), strict()), 'certificate-expired');
  assert.equal(code(sigstore.bundle({ signer, integratedTime: AFTER }), strict()), 'certificate-expired');
  assert.equal(code(sigstore.bundle({ signer, logs: ['v2'], stamped: AFTER }), strict()), 'certificate-expired');
  // A log of the second version tells no time.
  assert.equal(code(sigstore.bundle({ signer, logs: ['v2'] }), strict()), 'timestamp-missing');
  const ignoring = strict({ transparencyLog: 'ignored', timestamps: 'optional' });
  assert.equal(code(sigstore.bundle({ signer, integratedTime: WHILE }), ignoring), 'certificate-expired');
  assert.equal(code(sigstore.bundle({ signer, logs: [] }), ignoring, WHILE), 'held');
});

test('every witness that tells a time must tell one at which the certificate was valid', () => {
  assert.equal(code(sigstore.bundle({ signer, integratedTime: WHILE, stamped: WHILE }), strict()), 'held');
  assert.equal(
    code(sigstore.bundle({ signer, integratedTime: WHILE, stamped: AFTER }), strict()),
    'certificate-expired',
  );
  assert.equal(
    code(sigstore.bundle({ signer, integratedTime: AFTER, stamped: WHILE }), strict()),
    'certificate-expired',
  );
});

test('a time that is yet to come is no evidence', () => {
  const future = new Date('2026-01-01T00:00:00Z');
  assert.equal(
    code(sigstore.bundle({ stamped: future, logs: [] }), strict({ transparencyLog: 'ignored' })),
    'timestamp-invalid',
  );
});

test('what is asked for must be there', () => {
  assert.equal(code(sigstore.bundle({ logs: [] }), strict()), 'log-entry-missing');
  assert.equal(code(sigstore.bundle(), strict({ timestamps: 'required' })), 'timestamp-missing');
  const elsewhere = rootWith((root) => ({ ...root, tlogs: root.tlogs.slice(1) }));
  assert.equal(code(sigstore.bundle(), rootAttestor(elsewhere, undefined)), 'log-entry-invalid');
  assert.equal(code(sigstore.bundle(), rootAttestor(elsewhere, undefined, { transparencyLog: 'optional' })), 'held');
});

test('two logs are two, and two entries of one log are one', () => {
  const two: Attestor = { ...strict(), logThreshold: 2 };
  assert.equal(code(sigstore.bundle({ logs: ['v1', 'v2'] }), two), 'held');
  const bundle = sigstore.bundle({ logs: ['v1', 'v1'] });
  assert.equal(code(bundle, strict()), 'log-entry-invalid', 'the same entry twice');
});

test('an entry of an unknown log, or whose promise does not hold, counts for nothing; a bad proof spoils all', () => {
  const bundle = sigstore.bundle({ logs: ['v1', 'v2'], stamped: new Date('2024-03-01T00:00:00Z') });
  const [one, other] = bundle.verificationMaterial.tlogEntries;
  const withEntries = (...tlogEntries: unknown[]) => ({
    ...bundle,
    verificationMaterial: { ...bundle.verificationMaterial, tlogEntries },
  });
  const promise = { inclusionPromise: { signedEntryTimestamp: 'MAYCAQECAQE=' } };
  assert.equal(code(withEntries({ ...one, ...promise }, other), strict()), 'held');
  const unknown = { logId: { keyId: Buffer.alloc(32).toString('base64') } };
  assert.equal(code(withEntries({ ...one, ...unknown }, other), strict()), 'held');
  const proof = { inclusionProof: { ...other?.inclusionProof, hashes: [] } };
  assert.equal(code(withEntries(one, { ...other, ...proof }), strict()), 'log-entry-invalid');
});

test('CAs, logs and authorities count in their windows alone', () => {
  const until = { start: '2019-01-01T00:00:00Z', end: '2024-01-01T00:01:00Z' };
  const closed = (name: 'certificateAuthorities' | 'timestampAuthorities') =>
    rootAttestor(
      rootWith((root) => ({ ...root, [name]: root[name].map((each) => ({ ...each, validFor: until })) })),
      undefined,
    );
  const stamped = sigstore.bundle({ signer, logs: ['v2'], stamped: WHILE });
  assert.equal(code(stamped, closed('certificateAuthorities')), 'chain-untrusted');
  assert.equal(code(stamped, closed('timestampAuthorities')), 'timestamp-invalid');
  const logs = rootWith((root) => ({
    ...root,
    tlogs: root.tlogs.map((log) => ({ ...log, publicKey: { ...log.publicKey, validFor: until } })),
  }));
  assert.equal(
    code(sigstore.bundle({ signer, integratedTime: WHILE }), rootAttestor(logs, undefined)),
    'log-entry-invalid',
  );
  const exact = new Date('2024-01-01T00:01:00Z');
  assert.equal(
    code(sigstore.bundle({ signer, integratedTime: exact }), rootAttestor(logs, undefined)),
    'held',
    'inclusive',
  );
});

test('a proof without a promise counts while its log is trusted, by the times that others tell and by its own', () => {
  const until = (end: Date) =>
    rootWith((root) => ({
      ...root,
      tlogs: root.tlogs.map((log) => ({
        ...log,
        publicKey: { ...log.publicKey, validFor: { start: '2019-01-01T00:00:00Z', end: end.toISOString() } },
      })),
    }));
  const judge = (bundle: object, end: Date, reading: 'strict' | 'compat' = 'strict') => {
    const attestor = rootAttestor(until(end), undefined);
    const profile = reading === 'strict' ? {} : { profile: reading, observers: { source: 'any', least: 1 } as const };
    return code(bundle, { ...attestor, ...profile });
  };
  const before = new Date(WHILE.getTime() - 1000);
  const v2 = sigstore.bundle({ signer, logs: ['v2'], stamped: WHILE });
  assert.equal(judge(v2, WHILE), 'held', 'inclusive');
  assert.equal(judge(v2, before), 'log-entry-invalid');
  assert.equal(judge(v2, before, 'compat'), 'held', 'sigstore-go asks it of promises alone');
  const v1 = sigstore.bundle({ signer, integratedTime: WHILE, stamped: WHILE });
  const [entry] = v1.verificationMaterial.tlogEntries;
  const proved = { ...entry, inclusionPromise: undefined };
  const withEntries = (...tlogEntries: unknown[]) => ({
    ...v1,
    verificationMaterial: { ...v1.verificationMaterial, tlogEntries },
  });
  assert.equal(judge(withEntries(proved), WHILE), 'held');
  assert.equal(judge(withEntries(proved), before), 'log-entry-invalid');
});

test('an intermediate in the place of a root is not trusted', () => {
  const cut = rootWith((root) => ({
    ...root,
    certificateAuthorities: root.certificateAuthorities.map((each) => ({
      ...each,
      certChain: { certificates: each.certChain.certificates.slice(0, 1) },
    })),
  }));
  assert.equal(code(sigstore.bundle(), rootAttestor(cut, undefined)), 'chain-untrusted');
});

test("at cosign's tag: an expired leaf holds with a timestamp of its validity or an entry of Rekor v1, and not otherwise", () => {
  const log = createRekorLog();
  const leaf = sigstore.fulcio.issue(shortLived);
  const raw = signedEvidence({ leaf, chainPem: sigstore.pki.chainPem });
  const attestor = materialAttestor(
    readPemMaterial({
      chain: sigstore.pki.chainPem,
      logs: [{ key: log.pem }],
      timestampAuthorities: [`${sigstore.clock.pem}${sigstore.stampRoot.pem}`],
    }),
    undefined,
    { transparencyLog: 'optional', timestamps: 'optional' },
  );
  const judge = (evidence: typeof raw) => {
    const { held } = verifyEvidence(evidence, { digest: SUBJECT, attestor, now: NOW });
    return held === true ? 'held' : held.code;
  };
  const stamped = (time: Date, bytes: Uint8Array = raw.bytes ?? Buffer.alloc(0)) => {
    const response = timestampResponse(bytes, { signers: [sigstore.clock], time });
    const annotation = JSON.stringify({ SignedRFC3161Timestamp: response.toString('base64') });
    const annotations = { ...raw.descriptor.annotations, [COSIGN_RFC3161]: annotation };
    return { ...raw, descriptor: { ...raw.descriptor, annotations } };
  };
  assert.equal(judge(raw), 'certificate-expired');
  assert.equal(judge(stamped(WHILE)), 'held');
  assert.equal(judge(stamped(AFTER)), 'certificate-expired');
  assert.equal(judge(stamped(WHILE, Buffer.from('other bytes'))), 'timestamp-invalid');
  assert.equal(judge(log.log(raw, { integratedTime: WHILE })), 'held');
  assert.equal(judge(log.log(raw, { integratedTime: AFTER })), 'certificate-expired');
  // What cosign 3 stamps of an attestation: the bytes of the signature.
  const { signatures } = JSON.parse(Buffer.from(raw.bytes ?? '').toString('utf8'));
  assert.equal(judge(stamped(WHILE, Buffer.from(signatures[0].sig, 'base64'))), 'held');
});
