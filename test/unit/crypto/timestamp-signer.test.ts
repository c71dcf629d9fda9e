import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { splitTimestampAuthority } from '#crypto/timestamp-authority.ts';
import { verifyTimestamp } from '#crypto/verify-timestamp.ts';
import { oid, sequence } from '../../support/der.ts';
import {
  type CertificateSpec,
  caDefaults,
  EKU,
  extension,
  type Issued,
  issueFrom,
  selfSigned,
} from '../../support/pki.ts';
import { type TimestampSpec, timestampResponse } from '../../support/timestamp.ts';

const SIGNATURE = Buffer.from('signature');
const TIME = new Date('2024-05-01T12:00:00Z');
const NOW = new Date('2026-01-01T00:00:00Z');

const root = selfSigned({ subject: 'Company Root', ...caDefaults() });
const authority = stamper('Timestamps');
/** A colleague of the authority: another certificate below the same root. */
const colleague = issueFrom(root, { subject: 'Builds', extendedKeyUsage: [EKU.codeSigning] });

function stamper(subject: string, spec: CertificateSpec = {}, critical = true, ...usages: string[]): Issued {
  const usage = extension('2.5.29.37', sequence(...[EKU.timeStamping, ...usages].map(oid)), critical);
  return issueFrom(root, { subject, extendedKeyUsage: null, extensions: [usage], ...spec });
}

function problemOf(spec: Partial<TimestampSpec>, chain = `${authority.pem}${root.pem}`): string | Date {
  const response = timestampResponse(SIGNATURE, { signers: [authority], time: TIME, ...spec });
  const check = verifyTimestamp(response, SIGNATURE, splitTimestampAuthority(chain), NOW);
  return check.ok ? check.time : check.problem;
}

describe('the signer of a timestamp', () => {
  test('is the authority, with its certificate in the token or in the policy', () => {
    assert.deepEqual(problemOf({}), TIME);
    assert.deepEqual(problemOf({}, root.pem), TIME);
    assert.deepEqual(problemOf({ embedded: [] }), TIME);
    assert.deepEqual(problemOf({ embedded: [root, authority] }), TIME);
  });

  test("is nobody else below its root, though the authority's certificate comes first in the token", () => {
    const forged = { signers: [colleague], embedded: [authority, colleague] };
    assert.match(String(problemOf(forged)), /another certificate/);
    assert.match(String(problemOf(forged, root.pem)), /another certificate/);
    const second = stamper('Other timestamps');
    assert.match(String(problemOf({ signers: [second], embedded: [authority, second] })), /another certificate/);
    assert.match(String(problemOf({ signers: [colleague] })), /configured authority/);
    assert.match(String(problemOf({ signers: [colleague], embedded: [colleague, authority] })), /configured authority/);
  });

  test('has nobody sign beside it', () => {
    assert.match(String(problemOf({ signers: [authority, colleague] })), /another certificate/);
    const stranger = selfSigned({ subject: 'Stranger' });
    assert.equal(typeof problemOf({ signers: [authority, stranger] }), 'string');
    assert.match(String(problemOf({ signers: [], embedded: [authority] })), /nobody/);
  });

  test('may do nothing but stamp time, and must say so critically', () => {
    for (const other of [stamper('Soft', {}, false), stamper('Both', {}, true, EKU.codeSigning), colleague]) {
      assert.equal(typeof problemOf({ signers: [other] }, root.pem), 'string');
    }
    assert.equal(
      typeof problemOf({ signers: [stamper('CA', { basicConstraints: { ca: true } })] }, root.pem),
      'string',
    );
  });

  test('has a certificate that is valid when it says that it signed, and now when it says nothing', () => {
    const ended = stamper('Ended', { notAfter: new Date('2025-01-01T00:00:00Z') });
    assert.equal(typeof problemOf({ signers: [ended] }, root.pem), 'string');
    assert.deepEqual(problemOf({ signers: [ended], signingTime: TIME }, root.pem), TIME);
    assert.equal(typeof problemOf({ signers: [ended], signingTime: NOW }, root.pem), 'string');
  });
});
