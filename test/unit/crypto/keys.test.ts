import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyExportOptions, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { describeKey, keyKind } from '#crypto/key-kind.ts';
import { readPrivateKey, readPublicKey } from '#crypto/keys.ts';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import { makeKey, makePki, pemOf } from '../../support/pki.ts';

const COSIGN: Readonly<Record<'publicKey' | 'legacy' | 'standard' | 'owasp' | 'empty', string>> = JSON.parse(
  readFileSync(new URL('../../fixtures/certificates/cosign-keys.json', import.meta.url), 'utf8'),
);

function pem(key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1' | 'spki', passphrase?: string): string {
  const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  return key.export({ format: 'pem', type, ...encryption } satisfies KeyExportOptions<'pem'>).toString();
}

function unreadable(read: () => unknown, message: RegExp, mend: RegExp): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, 'key-unreadable');
    assert.match(error.message, message);
    assert.match(error.mend ?? '', mend);
    return true;
  });
}

describe('private keys', () => {
  const ec = makeKey();
  const rsa = makeKey('rsa2048');
  const same = (read: KeyObject, key: KeyObject) => assert.equal(publicKeyFingerprint(read), publicKeyFingerprint(key));

  it('reads PKCS #8, EC and RSA', () => {
    same(readPrivateKey(pem(ec, 'pkcs8')), ec);
    same(readPrivateKey(pem(ec, 'sec1')), ec);
    same(readPrivateKey(pem(rsa, 'pkcs1')), rsa);
    const ed = makeKey('ed25519');
    same(readPrivateKey(pem(ed, 'pkcs8')), ed);
  });

  it('passes over the curve parameters that openssl ecparam writes', () => {
    const parameters = pemOf(Buffer.from('06082a8648ce3d030107', 'hex'), 'EC PARAMETERS');
    same(readPrivateKey(`${parameters}${pem(ec, 'sec1')}`), ec);
  });

  it('reads from a secret, with a passphrase in a secret', () => {
    const secret = new Secret(pem(ec, 'pkcs8', 'open'), 'file:key.pem');
    same(readPrivateKey(secret, new Secret('open', 'env:P')), ec);
  });

  it('reads the keys that cosign writes, in each strength', () => {
    const wanted = publicKeyFingerprint(readPublicKey(COSIGN.publicKey));
    for (const strength of ['legacy', 'standard', 'owasp'] as const) {
      assert.equal(publicKeyFingerprint(readPrivateKey(COSIGN[strength], 'correct horse')), wanted, strength);
    }
    assert.equal(publicKeyFingerprint(readPrivateKey(COSIGN.empty)), wanted);
  });

  it('refuses a wrong passphrase and a missing one, without printing either', () => {
    const encrypted = pem(ec, 'pkcs8', 'right');
    unreadable(() => readPrivateKey(encrypted), /no passphrase/, /openssl pkcs8/);
    unreadable(() => readPrivateKey(encrypted, 'sesame-wrong'), /^(?!.*sesame).*passphrase is wrong/, /passphrase/);
    unreadable(() => readPrivateKey(COSIGN.legacy, 'sesame-wrong'), /^(?!.*sesame).*passphrase is wrong/, /password/);
  });

  it('refuses a cosign key whose parameters would cost too much', () => {
    const body = Buffer.from(COSIGN.legacy.replace(/-----[^-]+-----/g, ''), 'base64').toString();
    const costly = Buffer.from(body.replace('"N":32768', '"N":1073741824'));
    unreadable(() => readPrivateKey(pemOf(costly, 'ENCRYPTED COSIGN PRIVATE KEY'), 'x'), /damaged or of a form/, /./);
    unreadable(() => readPrivateKey(pemOf(Buffer.from('{'), 'ENCRYPTED COSIGN PRIVATE KEY'), 'x'), /damaged/, /./);
  });

  it('names what the file holds instead of a private key', () => {
    unreadable(() => readPrivateKey('hello'), /no PEM block/, /BEGIN PRIVATE KEY/);
    unreadable(() => readPrivateKey(''), /no PEM block/, /BEGIN PRIVATE KEY/);
    unreadable(() => readPrivateKey(pem(ec, 'pkcs8') + pem(rsa, 'pkcs8')), /more than one/, /only the private key/);
    unreadable(() => readPrivateKey(makePki().leaf.pem), /CERTIFICATE/, /private key/);
    unreadable(() => readPrivateKey(COSIGN.publicKey), /PUBLIC KEY/, /private/);
    unreadable(() => readPrivateKey(pemOf(Buffer.from('x'), 'OPENSSH PRIVATE KEY')), /OPENSSH/, /ssh-keygen/);
    unreadable(() => readPrivateKey(pemOf(Buffer.from('x'), 'PRIVATE KEY')), /damaged/, /openssl/);
  });

  it('refuses an RSA key in the old encryption of OpenSSL', () => {
    const old = pem(rsa, 'pkcs1', 'open');
    assert.match(old, /Proc-Type: 4,ENCRYPTED/);
    unreadable(() => readPrivateKey(old, 'open'), /old form/, /openssl pkcs8 -topk8/);
  });

  it('refuses kinds of keys that no verifier of ours takes', () => {
    const k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
    unreadable(() => readPrivateKey(pem(k1, 'pkcs8')), /secp256k1/, /P-256/);
    unreadable(() => readPrivateKey(pem(generateKeyPairSync('x25519').privateKey, 'pkcs8')), /x25519/, /P-256/);
  });

  it('refuses a cut-off block and one that is not base64, without quoting it', () => {
    const whole = pem(ec, 'pkcs8');
    const cut = whole.slice(0, whole.indexOf('-----END'));
    assert.throws(() => readPrivateKey(cut), { code: 'key-unreadable', message: /no END line/ });
    const bad = '-----BEGIN PRIVATE KEY-----\ntop*secret\n-----END PRIVATE KEY-----\n';
    assert.throws(() => readPrivateKey(bad), { code: 'key-unreadable', message: /^(?!.*secret).*not base64/ });
  });
});

describe('public keys', () => {
  it('reads SPKI and PKCS #1', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    for (const type of ['spki', 'pkcs1'] as const) {
      assert.equal(publicKeyFingerprint(readPublicKey(pem(rsa, type))), publicKeyFingerprint(rsa));
    }
  });

  it('refuses what is none', () => {
    unreadable(() => readPublicKey(pem(makeKey(), 'pkcs8')), /PRIVATE KEY/, /keep it secret/);
    unreadable(() => readPublicKey('nothing'), /no PEM block/, /BEGIN PUBLIC KEY/);
    unreadable(() => readPublicKey(COSIGN.publicKey.repeat(2)), /more than one/, /one public key/);
    unreadable(() => readPublicKey(pemOf(Buffer.from('x'), 'PUBLIC KEY')), /damaged/, /openssl pkey/);
  });
});

describe('kinds of keys', () => {
  it('names them as people do', () => {
    const kinds = (['p256', 'p384', 'p521', 'rsa2048', 'ed25519'] as const).map((kind) =>
      describeKey(keyKind(makeKey(kind))),
    );
    assert.deepEqual(kinds, ['ECDSA P-256', 'ECDSA P-384', 'ECDSA P-521', 'RSA 2048', 'Ed25519']);
  });
});
