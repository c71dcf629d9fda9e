import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { certificateFingerprint, publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { parseCertificate, parseCertificates } from '#crypto/parse-certificate.ts';
import { AppError } from '#model/errors.ts';
import { oid, sequence, set, tlv, utf8 } from '../../support/der.ts';
import { extension, issueFrom, makePki, nameConstraints, pemOf } from '../../support/pki.ts';

function refused(read: () => unknown, message: RegExp, mend?: RegExp): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, 'certificate-unreadable');
    assert.match(error.message, message);
    if (mend) assert.match(error.mend ?? '', mend);
    return true;
  });
}

const pki = makePki();

describe('a certificate', () => {
  it('is read with all that verification and linting need', () => {
    const read = parseCertificate(pki.leaf.der);
    assert.equal(read.subject, 'CN=Test Signer');
    assert.equal(read.issuer, 'CN=Test Intermediate 1');
    assert.equal(read.version, 3);
    assert.equal(read.pem, pki.leaf.pem);
    assert.equal(read.fingerprint, certificateFingerprint(pki.leaf.der));
    assert.equal(publicKeyFingerprint(read.publicKey), publicKeyFingerprint(pki.leaf.key));
    assert.equal(read.notBefore.toISOString(), '2020-01-01T00:00:00.000Z');
    assert.equal(read.notAfter.toISOString(), '2045-01-01T00:00:00.000Z');
    assert.deepEqual(read.basicConstraints, { ca: false });
    assert.deepEqual(read.keyUsage, ['digitalSignature']);
    assert.deepEqual(read.extendedKeyUsage, ['1.3.6.1.5.5.7.3.3']);
    assert.deepEqual(read.subjectAlternativeNames, [{ type: 'uri', value: 'https://attestry.test/builder' }]);
    assert.equal(read.signatureAlgorithm, 'sha256-ecdsa');
    assert.equal(read.selfIssued, false);
    assert.equal(parseCertificate(pki.root.der).selfIssued, true);
  });

  it('shows each kind of name, and constraints on them', () => {
    const der = issueFrom(pki.root, {
      subjectAlternativeNames: [
        { type: 'email', value: 'ci@attestry.test' },
        { type: 'dns', value: 'attestry.test' },
      ],
      extensions: [nameConstraints({ permitted: [{ type: 'uri', value: '.attestry.test' }] })],
    }).der;
    const read = parseCertificate(der);
    assert.deepEqual(
      read.subjectAlternativeNames.map(({ type, value }) => `${type}:${value}`),
      ['email:ci@attestry.test', 'dns:attestry.test'],
    );
    assert.deepEqual(read.nameConstraints, { permitted: [{ type: 'uri', value: '.attestry.test' }], excluded: [] });
  });

  it('lists critical extensions that nobody understands, and no other', () => {
    const extensions = [extension('1.2.3.4', utf8('x'), true), extension('1.2.3.5', utf8('x'))];
    assert.deepEqual(parseCertificate(issueFrom(pki.root, { extensions }).der).unknownCritical, ['1.2.3.4']);
  });

  it('prints names so that they can go to a terminal', () => {
    const attribute = (type: string, value: string) => set(sequence(oid(type), utf8(value)));
    const nameDer = sequence(
      attribute('2.5.4.6', 'CH'),
      attribute('2.5.4.10', 'A, "B"; <C>'),
      set(sequence(oid('2.5.4.3'), utf8(' x\u001b[31m\n')), sequence(oid('1.2.3.4'), tlv(0x13, Buffer.from('y')))),
    );
    assert.equal(
      parseCertificate(issueFrom(pki.root, { nameDer }).der).subject,
      'CN=\\ x\\1B[31m\\0A+1.2.3.4=y,O=A\\, \\"B\\"\\; \\<C\\>,C=CH',
    );
  });

  it('may be cut anywhere without harm', () => {
    for (let length = 0; length < pki.leaf.der.length; length += 7) {
      refused(() => parseCertificate(pki.leaf.der.subarray(0, length)), /./);
    }
  });

  it('is bounded', () => {
    const large = issueFrom(pki.root, { extensions: [extension('1.2.3.4', Buffer.alloc(70_000))] });
    assert.throws(() => parseCertificate(large.der), { code: 'too-large' });
  });
});

describe('a PEM file', () => {
  it('gives all certificates in their order, whatever stands before them', () => {
    const text = `subject=CN = x\r\n${pki.leaf.pem}\nissuer=y\n${pki.chainPem.replaceAll('\n', '\r\n')}\n`;
    const subjects = parseCertificates(text).map(({ subject }) => subject);
    assert.deepEqual(subjects, ['CN=Test Signer', 'CN=Test Intermediate 1', 'CN=Test Root']);
  });

  it('must hold a certificate', () => {
    refused(() => parseCertificates(''), /no PEM block/, /BEGIN CERTIFICATE/);
    refused(() => parseCertificates('hello'), /no PEM block/, /-inform der/);
    refused(() => parseCertificates(pki.leaf.keyPem), /block 1 is a PRIVATE KEY/, /only certificates/);
    refused(() => parseCertificates(pki.leaf.pem + pki.leaf.keyPem), /block 2 is a PRIVATE KEY/);
  });

  it('names the block that is broken', () => {
    refused(() => parseCertificates(pki.leaf.pem + pemOf(Buffer.from('garbage'))), /^certificate 2: /);
    refused(
      () => parseCertificates(`${pki.leaf.pem}-----BEGIN CERTIFICATE-----\nAA*A\n-----END CERTIFICATE-----\n`),
      /not base64/,
    );
    refused(() => parseCertificates(pki.leaf.pem.slice(0, -20)), /no END line/);
    refused(() => parseCertificates(`${pki.leaf.pem}trailing words\n`), /text after the last PEM block/, /END line/);
  });

  it('is bounded in number and size', () => {
    assert.equal(parseCertificates(pki.leaf.pem.repeat(32)).length, 32);
    assert.throws(() => parseCertificates(pki.leaf.pem.repeat(33)), { code: 'too-large' });
    assert.throws(() => parseCertificates(' '.repeat(3 * 1024 * 1024 + 1)), { code: 'too-large' });
  });
});
