import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { readPublicKey } from '#crypto/keys.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import type { Attestor } from '#verification/attestor.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import {
  certificateChainCases,
  publicKeyCases,
  RECORDED_NOW,
  RECORDED_REGISTRY,
  type RecordedCase,
  recordedEvidence,
  recordedPolicy,
} from '../../support/recorded-verdicts.ts';

function held(recorded: RecordedCase<unknown>, attestor: Attestor) {
  const { repository, digest } = recorded;
  return recordedEvidence(recorded, { registry: RECORDED_REGISTRY, repository, digest })
    .map((raw) => verifyEvidence(raw, { digest, attestor, now: RECORDED_NOW }))
    .filter((evidence) => evidence.held === true);
}

/** Kyverno's rule for one attestation without conditions: one of the type, and one predicate that is an object. */
function outcomeOf(recorded: RecordedCase<unknown>, attestor: Attestor, type: string): 'pass' | 'fail' {
  const statements = held(recorded, attestor).map(({ statement }) => statement);
  const ofType = statements.some((statement) => statement?.predicateType === type);
  const object = statements.some(({ predicate } = { _type: '', subject: [], predicateType: '' }) => {
    return typeof predicate === 'object' && predicate !== null;
  });
  return ofType && object ? 'pass' : 'fail';
}

function keyAttestor(pem: string, profile: 'compat' | 'strict'): Attestor {
  return { kind: 'public-key', key: readPublicKey(pem), profile, transparencyLog: 'ignored' };
}

test('the recorded attestations under a key are all there', () => {
  assert.equal(publicKeyCases().flatMap(({ checks }) => checks).length, 171);
});

for (const recorded of publicKeyCases()) {
  for (const { type, key, outcome } of recorded.checks) {
    test(`${recorded.id}: compat ${outcome}`, () => {
      assert.equal(outcomeOf(recorded, keyAttestor(key, 'compat'), type), outcome);
    });
  }
}

/** Strict readings of what the statement says, of other layouts, and of hashes that are not judged yet. */
const BEYOND_EVIDENCE = /^(?:prov-14|store-(?:124|130|a34)|alg-)/;
/** Refused in strict, though the tools take them: members that nothing signs could mislead another reader. */
const UNSIGNED_MEMBERS = /^env-024-unsigned-member/;

for (const recorded of publicKeyCases().filter(({ id }) => !BEYOND_EVIDENCE.test(id))) {
  for (const { type, key, outcome } of recorded.checks) {
    const wanted = UNSIGNED_MEMBERS.test(recorded.id) ? 'fail' : (recorded.strict?.outcome ?? outcome);
    test(`${recorded.id}: strict ${wanted}`, () => {
      assert.equal(outcomeOf(recorded, keyAttestor(key, 'strict'), type), wanted);
    });
  }
}

/** Revocation lists, and signatures with other hashes than SHA-256, are not looked at yet. */
const NOT_YET = /^x509-(?:7[34]-crl|75-p...-sha(?:384|512)|76-rsa-pss|76-rsa2048-sha512)/;
const STRICT_DIFFERS = certificateChainCases().flatMap((recorded) => {
  const policy = recorded.checks.map((check) => check.policy).find((name) => !/tsa|tlog|sig-|cert-and/.test(name));
  return recorded.strict && policy && !NOT_YET.test(recorded.id) ? [{ recorded, policy }] : [];
});

test('the recorded strict readings of certificates are all there', () => {
  assert.equal(STRICT_DIFFERS.length, 13);
});

for (const { recorded, policy } of STRICT_DIFFERS) {
  test(`${recorded.id}: strict ${recorded.strict?.outcome}, ${recorded.strict?.why}`, () => {
    const [attestation] = parse(recordedPolicy(policy)).spec.rules[0].verifyImages[0].attestations;
    const attestor: Attestor = {
      kind: 'certificate-chain',
      authorities: [
        { anchors: parseCertificates(attestation.attestors[0].entries[0].certificates.certChain), intermediates: [] },
      ],
      profile: 'strict',
      transparencyLog: 'ignored',
      certificateTimestamp: 'ignored',
    };
    assert.equal(outcomeOf(recorded, attestor, attestation.type), recorded.strict?.outcome);
  });
}
