import 'reflect-metadata';
import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import test from 'node:test';
import {
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
} from '@peculiar/x509';
import {
  type CertificateWish,
  makeCertificateRequest,
  nameComplaint,
  readSubject,
} from '#crypto/certificate-request.ts';
import { type KeyKind, makeKey } from '../../support/pki.ts';

const WISH: CertificateWish = {
  subject: [
    { type: 'C', value: 'DE' },
    { type: 'O', value: 'Beispiel, Größe' },
    { type: 'CN', value: 'release' },
  ],
  names: [
    { type: 'uri', value: 'https://example.com/builder' },
    { type: 'email', value: 'signer@example.com' },
  ],
};

function extensionOf<T>(request: Pkcs10CertificateRequest, kind: abstract new (...args: never[]) => T): T {
  const found = request.extensions.find((extension) => extension instanceof kind);
  assert.ok(found, kind.name);
  return found as T;
}

function signer(key: KeyObject) {
  return async (data: Uint8Array) => sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', data, key);
}

test('a request that others read: subject, names, usages, and a signature by its own key', async () => {
  const kinds: readonly KeyKind[] = ['p256', 'p384', 'rsa2048', 'ed25519'];
  for (const kind of kinds) {
    const key = makeKey(kind);
    const read = new Pkcs10CertificateRequest(await makeCertificateRequest(WISH, createPublicKey(key), signer(key)));
    assert.equal(read.subject, 'C=DE, O=Beispiel\\, Größe, CN=release');
    assert.deepEqual(Buffer.from(read.publicKey.rawData), createPublicKey(key).export({ type: 'spki', format: 'der' }));
    // WebCrypto signs and verifies P-384 with any hash, and says so.
    assert.equal(await read.verify(), true, kind);
    assert.deepEqual(extensionOf(read, KeyUsagesExtension).usages, KeyUsageFlags.digitalSignature);
    assert.deepEqual([...extensionOf(read, ExtendedKeyUsageExtension).usages], ['1.3.6.1.5.5.7.3.3']);
    const names = extensionOf(read, SubjectAlternativeNameExtension).names.items;
    assert.deepEqual(
      names.map(({ type, value }) => [type, value]),
      [
        ['url', 'https://example.com/builder'],
        ['email', 'signer@example.com'],
      ],
    );
    const critical = [...read.extensions].filter((extension) => extension.critical).map(({ type }) => type);
    assert.deepEqual(critical.sort(), ['2.5.29.15', '2.5.29.19']);
  }
});

test('without a subject the names are critical', async () => {
  const key = makeKey();
  const request = await makeCertificateRequest({ ...WISH, subject: [] }, createPublicKey(key), signer(key));
  const read = new Pkcs10CertificateRequest(request);
  assert.equal(read.subject, '');
  assert.equal(extensionOf(read, SubjectAlternativeNameExtension).critical, true);
});

test('a signature by another key makes no request', async () => {
  const work = makeCertificateRequest(WISH, createPublicKey(makeKey()), signer(makeKey()));
  await assert.rejects(work, { code: 'key-mismatch' });
});

test('subjects are read most specific first; what a CA would refuse is said', () => {
  assert.deepEqual(readSubject('CN=Release signing, O=Example\\, Inc., C=DE'), [
    { type: 'C', value: 'DE' },
    { type: 'O', value: 'Example, Inc.' },
    { type: 'CN', value: 'Release signing' },
  ]);
  for (const text of [
    '',
    'release',
    'CN=',
    'DC=example',
    `CN=${'a'.repeat(65)}`,
    'C=Germany',
    'CN=a\tb',
    'constructor=x',
  ]) {
    assert.equal(typeof readSubject(text), 'string', text);
  }
});

test('names are absolute URIs and e-mail addresses in ASCII', () => {
  assert.equal(nameComplaint({ type: 'uri', value: 'spiffe://example.com/signer' }), undefined);
  assert.equal(nameComplaint({ type: 'email', value: 'a@example.com' }), undefined);
  for (const value of ['', 'example.com', 'https://exämple.com', 'https://a b', `https://${'a'.repeat(260)}`]) {
    assert.ok(nameComplaint({ type: 'uri', value }), value);
  }
  for (const value of ['a', 'a@b@c', 'ä@example.com']) assert.ok(nameComplaint({ type: 'email', value }), value);
});
