import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { Certificate, CertificateExtension } from '#crypto/certificate.ts';
import { verifyCertificateTimestamps } from '#crypto/certificate-timestamp.ts';
import { type LogKey, readLogKey } from '#crypto/log-key.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { COSIGN_CERTIFICATE } from '#model/media-types.ts';
import { corpusEvidence, corpusPolicy } from '../../support/recorded-corpus.ts';

const [{ verifyImages }] = parse(corpusPolicy('b-chain-main-tlog-sct')).spec.rules;
const [{ certificates }] = verifyImages[0].attestations[0].attestors[0].entries;
const log: LogKey = readLogKey(certificates.ctlog.pubkey);
const [issuer, root] = parseCertificates(certificates.certChain);
const [leaf] = parseCertificates(
  corpusEvidence('log-sct-present')[0]?.descriptor.annotations?.[COSIGN_CERTIFICATE] ?? '',
);

function check(certificate: Certificate | undefined, above: Certificate | undefined, logs: readonly LogKey[]) {
  assert.ok(certificate);
  return verifyCertificateTimestamps(certificate, above, logs).kind;
}

test('a timestamp of a known log holds under the issuer', () => {
  assert.equal(check(leaf, issuer, [log]), 'verified');
});

test('another issuer, none, another log and another key under the same name are refused', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  assert.equal(check(leaf, root, [log]), 'invalid');
  assert.equal(check(leaf, undefined, [log]), 'invalid');
  assert.equal(check(leaf, issuer, []), 'invalid');
  assert.equal(check(leaf, issuer, [{ ...log, key: publicKey }]), 'invalid');
});

test('a certificate without timestamps has none', () => {
  assert.equal(check(root, root, [log]), 'missing');
});

test('a list that cannot be read is refused', () => {
  assert.ok(leaf);
  for (const value of [Buffer.alloc(0), Buffer.from('0403000100', 'hex'), Buffer.from('0404000200ff', 'hex')]) {
    const extensions: readonly CertificateExtension[] = leaf.extensions.map((each) =>
      each.oid === '1.3.6.1.4.1.11129.2.4.2' ? { ...each, value } : each,
    );
    assert.equal(check({ ...leaf, extensions }, issuer, [log]), 'invalid');
  }
});
