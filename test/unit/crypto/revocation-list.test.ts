import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Certificate } from '#crypto/certificate.ts';
import { checkRevocation } from '#crypto/check-revocation.ts';
import { distributionPoints } from '#crypto/distribution-points.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import {
  MAX_LIST_BYTES,
  parseRevocationList,
  parseRevocationLists,
  type RevocationList,
} from '#crypto/revocation-list.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
import { type CrlSpec, distributionPointsAt, makeCrl, strangeExtension } from '../../support/crl.ts';
import { bits, sequence, tlv } from '../../support/der.ts';
import { caDefaults, extension, generalName, issueFrom, makePki, pemOf, selfSigned } from '../../support/pki.ts';

const NOW = new Date('2027-06-01T00:00:00Z');
const SERIAL = Buffer.from([0x33]);
const FIXTURES = new URL('../../fixtures/crl/', import.meta.url);

function fixture(kind: string, name: string): Buffer {
  return readFileSync(new URL(`${kind}/${name}`, FIXTURES));
}

function certificate(kind: string, name: string): Certificate {
  return one(parseCertificates(fixture(kind, `${name}.pem`).toString()));
}

function list(kind: string, name: string): RevocationList {
  return one(parseRevocationLists(fixture(kind, name)));
}

function one<T>(items: readonly T[]): T {
  const [first, second] = items;
  assert.ok(first !== undefined && second === undefined);
  return first;
}

for (const kind of ['rsa', 'ecdsa']) {
  describe(`lists of OpenSSL, by a CA with an ${kind.toUpperCase()} key`, () => {
    const issuer = certificate(kind, 'ca');

    it('tell the revoked from the good', () => {
      for (const file of ['current.crl', 'current.der']) {
        const current = list(kind, file);
        assert.equal(current.entries.bySerial.size, 3);
        assert.deepEqual(checkRevocation(certificate(kind, 'good'), issuer, current, NOW), { kind: 'good' });
        for (const [name, reason] of [
          ['revoked', 'keyCompromise'],
          ['held', 'certificateHold'],
          ['late', 'superseded'],
        ] as const) {
          const found = checkRevocation(certificate(kind, name), issuer, current, NOW);
          assert.ok(found.kind === 'revoked');
          assert.equal(found.revocation.reason, reason);
        }
      }
    });

    it('name where they are in the certificates', () => {
      const uris = [`http://pki.example.com/${kind}.crl`];
      assert.deepEqual(distributionPoints(certificate(kind, 'good')), [{ uris, partial: false, indirect: false }]);
      assert.deepEqual(distributionPoints(certificate(kind, 'plain')), []);
    });

    it('cannot tell when they are out of date, but what was revoked for good stays so', () => {
      const expired = list(kind, 'expired.crl');
      assert.match(unknownOf(certificate(kind, 'good'), issuer, expired), /next one was due at 2025-02-01/);
      assert.match(unknownOf(certificate(kind, 'held'), issuer, expired), /next one was due/);
      assert.equal(checkRevocation(certificate(kind, 'revoked'), issuer, expired, NOW).kind, 'revoked');
    });

    it('cannot tell what they do not cover, and nothing at all when they are not understood', () => {
      const good = certificate(kind, 'good');
      assert.match(unknownOf(good, issuer, list(kind, 'delta.crl')), /delta list/);
      assert.match(unknownOf(good, issuer, list(kind, 'part.crl')), /another part/);
      assert.match(unknownOf(good, issuer, list(kind, 'cas.crl')), /ca certificates only/);
      assert.match(
        unknownOf(certificate(kind, 'revoked'), issuer, list(kind, 'strange.crl')),
        /1\.3\.6\.1\.4\.1\.99999\.1/,
      );
      assert.equal(checkRevocation(certificate(kind, 'revoked'), issuer, list(kind, 'cas.crl'), NOW).kind, 'revoked');
    });

    it('count as their issuer’s alone', () => {
      const other = certificate(kind === 'rsa' ? 'ecdsa' : 'rsa', 'ca');
      const current = list(kind, 'current.crl');
      const foreign = checkRevocation(certificate(kind, 'revoked'), other, current, NOW);
      assert.ok(foreign.kind === 'unknown' && foreign.foreign);
    });
  });
}

describe('a list of revoked certificates', () => {
  const { root, leaf } = makePki({ intermediates: [], leaf: { serial: SERIAL } });
  const [issuer, certified] = [root, leaf].map(({ pem }) => one(parseCertificates(pem)));
  assert.ok(issuer && certified);

  function check(spec: CrlSpec, by = root) {
    return checkRevocation(
      certified as Certificate,
      issuer as Certificate,
      parseRevocationList(makeCrl(by, spec)),
      NOW,
    );
  }

  it('must be signed by the key above the certificate, not by one of its name', () => {
    const impostor = selfSigned({ ...caDefaults(), subject: 'Test Root' });
    const found = check({ revoked: [] }, impostor);
    assert.ok(found.kind === 'unknown');
    assert.match(found.problem, /not made by the key of its issuer/);
  });

  it('must be by a CA that may sign lists', () => {
    const mute = selfSigned({ ...caDefaults(), keyUsage: ['keyCertSign'] });
    const below = issueFrom(mute, { serial: SERIAL });
    const [ca, child] = [mute, below].map(({ pem }) => one(parseCertificates(pem)));
    const found = checkRevocation(child as Certificate, ca as Certificate, parseRevocationList(makeCrl(mute)), NOW);
    assert.ok(found.kind === 'unknown');
    assert.match(found.problem, /lacks cRLSign/);
  });

  it('holds from its date until its next is due, both included', () => {
    assert.equal(check({ thisUpdate: NOW, nextUpdate: NOW }).kind, 'good');
    assert.equal(check({ thisUpdate: new Date(NOW.getTime() + 1000) }).kind, 'unknown');
    assert.equal(check({ nextUpdate: new Date(NOW.getTime() - 1000) }).kind, 'unknown');
    assert.equal(check({ nextUpdate: null }).kind, 'unknown');
  });

  it('takes a certificate off again, and dates a theft back', () => {
    const since = new Date('2027-01-01T00:00:00Z');
    const invalidSince = new Date('2026-01-01T00:00:00Z');
    assert.equal(check({ revoked: [{ serial: SERIAL, since, reason: 8 }] }).kind, 'good');
    const found = check({ revoked: [{ serial: SERIAL, since, reason: 1, invalidSince }] });
    assert.deepEqual(found, { kind: 'revoked', revocation: { since: invalidSince, reason: 'keyCompromise' } });
    const silent = check({ revoked: [{ serial: SERIAL, since }] });
    assert.deepEqual(silent, { kind: 'revoked', revocation: { since, reason: 'unspecified' } });
  });

  it('is refused as a whole when it cannot be read in one way only', () => {
    const der = makeCrl(root);
    const cases: readonly (readonly [Uint8Array, RegExp])[] = [
      [der.subarray(0, der.length - 1), /cannot be read/],
      [Buffer.concat([der, Buffer.from([0])]), /trailing/],
      [Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'), /neither DER nor a PEM block/],
      [Buffer.from(pemOf(root.der, 'X509 CRL')), /cannot be read/],
      [new Uint8Array(), /neither DER/],
    ];
    for (const [bytes, wanted] of cases) {
      refused('crl-unreadable', () => parseRevocationLists(bytes), wanted);
    }
    refused('too-large', () => parseRevocationList(new Uint8Array(MAX_LIST_BYTES + 1)), /at most/);
  });

  it('is read from a file with several of them', () => {
    const pem = `issued today\n${pemOf(makeCrl(root), 'X509 CRL')}\n${pemOf(makeCrl(root, { revoked: [{ serial: SERIAL, since: NOW }] }), 'X509 CRL')}`;
    assert.deepEqual(
      parseRevocationLists(Buffer.from(pem)).map(({ entries }) => entries.bySerial.size),
      [0, 1],
    );
  });

  it('is read with fifty thousand entries', () => {
    const revoked = Array.from({ length: 50_000 }, (_, at) => {
      return { serial: Buffer.from([1, at >> 16, (at >> 8) & 0xff, at & 0xff]), since: NOW };
    });
    const parsed = parseRevocationList(makeCrl(root, { revoked }));
    assert.equal(parsed.entries.bySerial.size, 50_000);
    assert.equal(checkRevocation(certified as Certificate, issuer as Certificate, parsed, NOW).kind, 'good');
  });

  it('says nothing when it holds what nobody understands', () => {
    const found = check({ extensions: [strangeExtension()] });
    assert.ok(found.kind === 'unknown');
    assert.match(found.problem, /is not understood/);
  });

  it('has distribution points of which some say too little', () => {
    const uri = tlv(0xa0, tlv(0xa0, generalName({ type: 'uri', value: 'http://a.test/some' })));
    const someReasons = tlv(0x81, bits(Buffer.from([0x40]), 6).subarray(2));
    const other = extension('2.5.29.31', sequence(sequence(uri, someReasons), sequence(uri, tlv(0xa2, root.name))));
    const told = distributionPoints(one(parseCertificates(issueFrom(root, { extensions: [other] }).pem)));
    assert.deepEqual(told, [
      { uris: ['http://a.test/some'], partial: true, indirect: false },
      { uris: ['http://a.test/some'], partial: false, indirect: true },
    ]);
    const two = issueFrom(root, { extensions: [distributionPointsAt('http://a.test/1', 'ldap://b.test/2')] });
    const points = distributionPoints(one(parseCertificates(two.pem)));
    assert.deepEqual(
      points.map(({ uris }) => uris),
      [['http://a.test/1'], ['ldap://b.test/2']],
    );
  });
});

function unknownOf(child: Certificate, issuer: Certificate, given: RevocationList): string {
  const found = checkRevocation(child, issuer, given, NOW);
  assert.ok(found.kind === 'unknown', found.kind);
  return found.problem;
}

function refused(code: ErrorCode, read: () => unknown, wanted: RegExp): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, code);
    assert.match(error.message, wanted);
    return true;
  });
}
