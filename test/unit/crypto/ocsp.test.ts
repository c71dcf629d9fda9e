import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOcsp } from '#crypto/check-ocsp.ts';
import type { RevocationCheck } from '#crypto/check-revocation.ts';
import { ocspLocations } from '#crypto/ocsp-locations.ts';
import { parseOcspResponse } from '#crypto/ocsp-response.ts';
import { parseCertificate } from '#crypto/parse-certificate.ts';
import { AppError } from '#model/errors.ts';
import { octets, oid, sequence, tlv } from '../../support/der.ts';
import {
  generalizedTime,
  type OcspSingleSpec,
  type OcspSpec,
  ocspDelegate,
  ocspRefusal,
  ocspResponse,
  respondersAt,
} from '../../support/ocsp.ts';
import { extension, issueFrom, makeKey, makePki } from '../../support/pki.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const SERIAL = Buffer.from([0x44]);
const SINCE = new Date('2026-05-01T00:00:00Z');
const NONCE = Buffer.alloc(32, 7);
const STRANGE = '1.3.6.1.4.1.99999.1';

const minutes = (count: number) => new Date(NOW.getTime() + count * 60_000);
const pki = makePki({ leaf: { serial: SERIAL, extensions: [respondersAt('http://ocsp.test/')] } });
const ca = pki.intermediate;
const issuer = parseCertificate(ca.der);
const question = { issuer, serialNumber: SERIAL.toString('hex') };

type Bent = Partial<OcspSpec> & { readonly single?: Partial<OcspSingleSpec> };

function single(bent: Partial<OcspSingleSpec> = {}): OcspSingleSpec {
  return { issuer: ca, serial: SERIAL, thisUpdate: minutes(-10), nextUpdate: minutes(60), ...bent };
}

function answer({ single: bent, ...spec }: Bent = {}): Buffer {
  return ocspResponse({ signer: ca, singles: [single(bent)], nonce: NONCE, ...spec });
}

function check(der: Uint8Array, nonce: Uint8Array | undefined = NONCE): RevocationCheck {
  return checkOcsp(question, parseOcspResponse(der), NOW, nonce);
}

function assertUnknown(found: RevocationCheck, wanted: RegExp): void {
  assert.ok(found.kind === 'unknown', JSON.stringify(found));
  assert.match(found.problem, wanted);
}

test('the CA itself is believed, whichever way it names itself', () => {
  for (const by of ['name', 'key'] as const) {
    assert.deepEqual(check(answer({ by })), { kind: 'good' });
    const revoked = check(answer({ by, single: { status: { since: SINCE, reason: 4 } } }));
    assert.deepEqual(revoked, { kind: 'revoked', revocation: { since: SINCE, reason: 'superseded' } });
  }
  const plain = check(answer({ single: { status: { since: SINCE } } }));
  assert.deepEqual(plain, { kind: 'revoked', revocation: { since: SINCE, reason: 'unspecified' } });
});

test('a responder is believed that the CA certified for that', () => {
  for (const by of ['name', 'key'] as const) {
    const signer = ocspDelegate(ca);
    assert.deepEqual(check(answer({ signer, by, certificates: [pki.root, signer] })), { kind: 'good' });
  }
});

test('nobody else is believed', () => {
  const other = makePki();
  const cases: readonly (readonly [string, Bent, RegExp])[] = [
    ['a stranger that names itself as the CA', { key: makeKey() }, /not made by the key of its issuer/],
    ['a responder that did not come with the answer', { signer: ocspDelegate(ca) }, /signed neither by the CA nor/],
    ...(
      [
        ['of another CA', ocspDelegate(other.intermediate), /not by the CA/],
        ['of the root', ocspDelegate(pki.root), /is by "CN=Test Root"/],
        ['that is a signer of images', issueFrom(ca, { subject: 'Test Responder' }), /not for OCSP/],
        ['for anything', ocspDelegate(ca, { extendedKeyUsage: ['2.5.29.37.0'] }), /not for OCSP/],
        ['for no purpose', ocspDelegate(ca, { extendedKeyUsage: null }), /not for OCSP/],
        ['that may not sign', ocspDelegate(ca, { keyUsage: ['keyEncipherment'] }), /not for signatures/],
        ['that is over', ocspDelegate(ca, { notAfter: minutes(-1) }), /is valid from/],
        ['that is not valid yet', ocspDelegate(ca, { notBefore: minutes(1) }), /is valid from/],
        ['that may be revoked', ocspDelegate(ca, { noCheck: false }), /lacks id-pkix-ocsp-nocheck/],
        ['by a weak signature', ocspDelegate(ca, { hash: 'sha1' }), /can be forged/],
        [
          'with a critical extension',
          ocspDelegate(ca, { extensions: [extension(STRANGE, octets(NONCE), true)] }),
          /critical extension 1\.3\.6\.1\.4\.1\.99999\.1/,
        ],
      ] as const
    ).map(([what, signer, wanted]) => [`one ${what}`, { signer, certificates: [signer] }, wanted] as const),
    ['the leaf itself', { signer: pki.leaf, certificates: [pki.leaf] }, /not for OCSP/],
    ['a certified one whose key did not sign', delegateWithOtherKey(), /not made by the key/],
    ['a weak signature', { hash: 'sha1' }, /can be forged/],
  ];
  for (const [what, spec, wanted] of cases) {
    const found = check(answer(spec));
    assert.ok(found.kind === 'unknown', what);
    assert.match(found.problem, wanted, what);
  }
});

function delegateWithOtherKey(): Bent {
  const signer = ocspDelegate(ca);
  return { signer, certificates: [signer], key: makeKey() };
}

test('an answer must be about the certificate: name and key of its issuer, and its number', () => {
  assert.deepEqual(check(answer({ single: { hash: 'sha256' } })), { kind: 'good' });
  for (const bent of [
    { serial: Buffer.from([0x45]) },
    { otherName: true },
    { otherKey: true },
    { hash: 'md5' },
    { issuer: pki.root },
  ] as const) {
    assertUnknown(check(answer({ single: bent })), /about other certificates/);
  }
  const among = answer({ singles: [single({ serial: Buffer.from([1]), status: { since: SINCE } }), single()] });
  assert.deepEqual(check(among), { kind: 'good' });
  const both = answer({ singles: [single(), single({ status: { since: SINCE } })] });
  assertUnknown(check(both), /more than one thing/);
  assertUnknown(check(answer({ singles: [] })), /about other certificates/);
});

test('an answer holds from its update to the next, five minutes around', () => {
  for (const [thisUpdate, nextUpdate, wanted] of [
    [minutes(4), minutes(60), 'good'],
    [minutes(6), minutes(60), /holds only from/],
    [minutes(-60), minutes(-4), 'good'],
    [minutes(-60), minutes(-6), /held until/],
    [minutes(-4), undefined, 'good'],
    [minutes(-6), undefined, /held until/],
  ] as const) {
    for (const status of ['good', { since: SINCE, reason: 1 }] as const) {
      const times = nextUpdate ? { thisUpdate, nextUpdate } : { thisUpdate };
      const found = check(
        ocspResponse({ signer: ca, nonce: NONCE, singles: [{ issuer: ca, serial: SERIAL, status, ...times }] }),
      );
      if (wanted !== 'good') assertUnknown(found, wanted);
      else assert.equal(found.kind, status === 'good' ? 'good' : 'revoked');
    }
  }
});

test('a nonce that was sent must come back', () => {
  assertUnknown(check(answer({ nonce: undefined })), /does not repeat the nonce/);
  assertUnknown(check(answer({ nonce: Buffer.alloc(32, 8) })), /of another question/);
  assertUnknown(check(answer({ nonce: NONCE.subarray(1) })), /of another question/);
  const unasked = checkOcsp(question, parseOcspResponse(answer()), NOW);
  assert.deepEqual(unasked, { kind: 'good' });
});

test('unknown is neither good nor revoked, and so is what is not understood', () => {
  assertUnknown(check(answer({ single: { status: 'unknown' } })), /does not know the certificate/);
  const strange = extension(STRANGE, octets(NONCE), true);
  assertUnknown(check(answer({ extensions: [strange] })), /critical extension/);
  assertUnknown(check(answer({ single: { extensions: [strange] } })), /critical extension/);
  assert.equal(check(answer({ extensions: [extension(STRANGE, octets(NONCE))] })).kind, 'good');
});

test('invalidityDate dates a revocation back, and never forth', () => {
  const earlier = new Date('2026-04-01T00:00:00Z');
  for (const [date, wanted] of [
    [earlier, earlier],
    [minutes(0), SINCE],
  ] as const) {
    const extensions = [extension('2.5.29.24', generalizedTime(date))];
    const found = check(answer({ single: { status: { since: SINCE, reason: 1 }, extensions } }));
    assert.deepEqual(found, { kind: 'revoked', revocation: { since: wanted, reason: 'keyCompromise' } });
  }
});

test('a responder that does not answer says why', () => {
  for (const [status, wanted] of [
    [1, /malformedRequest/],
    [2, /internalError/],
    [3, /tryLater/],
    [4, /status 4/],
    [5, /sigRequired/],
    [6, /unauthorized/],
    [77, /status 77/],
  ] as const) {
    refused(ocspRefusal(status), 'revocation-unknown', wanted);
  }
});

test('what is not DER of an answer is refused, cut anywhere or with any byte changed', () => {
  const whole = answer({ signer: ocspDelegate(ca), certificates: [pki.root] });
  for (let length = 0; length < whole.length; length += 3) refused(whole.subarray(0, length), 'ocsp-unreadable', /./);
  refused(Buffer.concat([whole, Buffer.from([0])]), 'ocsp-unreadable', /trailing bytes/);
  refused(Buffer.alloc(64 * 1024 + 1), 'too-large', /at most 65536/);
  const wrong = sequence(tlv(0x0a, Buffer.from([0])), tlv(0xa0, sequence(oid(STRANGE), octets(NONCE))));
  refused(wrong, 'ocsp-unreadable', /another form than the basic/);
  refused(answer({ singles: Array.from({ length: 17 }, () => single()) }), 'ocsp-unreadable', /more than 16/);
  refused(answer({ single: { status: { since: SINCE, reason: 8 } } }), 'ocsp-unreadable', /removeFromCRL/);
  const twice = [extension(STRANGE, octets(NONCE)), extension(STRANGE, octets(NONCE))];
  refused(answer({ extensions: twice }), 'ocsp-unreadable', /appears twice/);
  const honest = answer();
  for (let at = 0; at < honest.length; at += 1) {
    const bent = Buffer.from(honest);
    bent[at] = (bent[at] ?? 0) ^ 0x10;
    assert.notEqual(verdict(bent), 'good', `byte ${at}`);
  }
});

function verdict(der: Uint8Array): string {
  try {
    return check(der).kind;
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    return error.code;
  }
}

function refused(der: Uint8Array, code: string, wanted: RegExp): void {
  assert.throws(
    () => parseOcspResponse(der),
    (error) => error instanceof AppError && error.code === code && wanted.test(error.message),
  );
}

test('the responders of a certificate are those of OCSP at http and https addresses', () => {
  const at = (...uris: readonly string[]) =>
    ocspLocations(parseCertificate(issueFrom(ca, { extensions: [respondersAt(...uris)] }).der));
  assert.deepEqual(ocspLocations(parseCertificate(pki.leaf.der)), ['http://ocsp.test/']);
  assert.deepEqual(ocspLocations(issuer), []);
  assert.deepEqual(at('ldap://x.test/', 'https://a.test/'), ['https://a.test/']);
  assert.equal(at(...Array.from({ length: 9 }, (_, index) => `http://${index}.test/`)).length, 4);
});
