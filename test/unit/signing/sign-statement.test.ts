import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { pae, parseEnvelope, verifySignature } from '#crypto/dsse.ts';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import { createSigner } from '#signing/catalogue.ts';
import { createKeySigner } from '#signing/key.ts';
import { signStatement } from '#signing/sign-statement.ts';
import type { ConfiguredSigner } from '#signing/signer.ts';
import { createX509Signer } from '#signing/x509.ts';
import { caDefaults, EKU, type KeyKind, makeKey, makePki, type Pki, selfSigned } from '../../support/pki.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const PAYLOAD = Buffer.from('{"_type":"https://in-toto.io/Statement/v1","name":"ÿ>?"}');
const TYPE = 'https://example.com/predicate';

function x509Signer(
  pki: Pki,
  over: { keyPem?: string; chainPem?: string; certificatePem?: string } = {},
): ConfiguredSigner {
  return createX509Signer({
    id: 'release',
    keyPem: over.keyPem ?? pki.leaf.keyPem,
    certificatePem: over.certificatePem ?? pki.leaf.pem,
    chainPem: over.chainPem ?? pki.chainPem,
    now: NOW,
  });
}

function thrown(make: () => unknown): AppError {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    return error;
  }
  return assert.fail('nothing was thrown');
}

describe('a signed statement', () => {
  it('is the envelope that cosign writes, byte for byte', async () => {
    const { envelope } = await signStatement(x509Signer(makePki()), PAYLOAD, TYPE, { layouts: ['cosign-tag'] });
    const text = Buffer.from(envelope).toString();
    const sig = /"sig":"([A-Za-z0-9+/]+={0,2})"/.exec(text)?.[1];
    const payload = PAYLOAD.toString('base64');
    assert.match(payload, /[+/]/);
    assert.equal(
      text,
      `{"payloadType":"application/vnd.in-toto+json","payload":"${payload}","signatures":[{"keyid":"","sig":"${sig}"}]}`,
    );
  });

  for (const kind of ['p256', 'p384', 'rsa2048', 'ed25519'] as const satisfies readonly KeyKind[]) {
    it(`verifies with a ${kind} certificate`, async () => {
      const pki = makePki({ leaf: { key: makeKey(kind) } });
      const { envelope, certificate = '' } = await signStatement(x509Signer(pki), PAYLOAD, TYPE, {
        layouts: ['cosign-tag'],
      });
      const parsed = parseEnvelope(envelope);
      assert.ok(parsed.ok);
      const { payloadType, payload, signatures } = parsed.envelope;
      assert.deepEqual(Buffer.from(payload), PAYLOAD);
      const [signature] = signatures;
      assert.ok(signature && signatures.length === 1);
      const { publicKey } = new X509Certificate(certificate);
      assert.ok(verifySignature(publicKey, pae(payloadType, payload), signature.signature));
    });
  }

  it('carries the leaf, and apart from it the intermediates and then the root, whatever order they came in', async () => {
    const pki = makePki({ intermediates: [{}, {}] });
    const chainPem =
      pki.root.pem +
      pki.intermediates
        .map(({ pem }) => pem)
        .reverse()
        .join('');
    const signed = await signStatement(x509Signer(pki, { chainPem }), PAYLOAD, TYPE, { layouts: ['cosign-tag'] });
    assert.equal(signed.certificate, pki.leaf.pem);
    assert.equal(signed.chain, pki.chainPem);
    assert.equal(signed.predicateType, TYPE);
    assert.equal(
      signed.fingerprint,
      new X509Certificate(pki.leaf.der).fingerprint256.replaceAll(':', '').toLowerCase(),
    );
  });

  it('carries no certificate when a plain key signs', async () => {
    const { keyPem, publicKey } = makePki().leaf;
    const signed = await signStatement(createKeySigner({ id: 'k', keyPem }), PAYLOAD, TYPE, {
      layouts: ['cosign-tag'],
    });
    assert.deepEqual([signed.certificate, signed.chain], [undefined, undefined]);
    assert.equal(signed.fingerprint, publicKeyFingerprint(publicKey));
    assert.match(Buffer.from(signed.envelope).toString(), /"keyid":""/);
  });

  it('is not given out when the signature does not verify', async () => {
    const signer = x509Signer(makePki());
    const other = createKeySigner({ id: 'k', keyPem: makePki().leaf.keyPem });
    const wrong = { ...signer, signer: other.signer };
    await assert.rejects(signStatement(wrong, PAYLOAD, TYPE, { layouts: ['cosign-tag'] }), {
      code: 'key-mismatch',
      message: /release/,
    });
  });
});

describe('an X.509 signer', () => {
  it('takes a key in a secret with a passphrase, and issuers behind the certificate', () => {
    const pki = makePki();
    const keyPem = pki.leaf.key.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open' });
    const signer = createX509Signer({
      id: 'release',
      keyPem: new Secret(keyPem.toString(), 'file:key'),
      passphrase: new Secret('open', 'env:P'),
      certificatePem: pki.leaf.pem + pki.intermediate.pem,
      chainPem: pki.root.pem,
      now: NOW,
    });
    assert.deepEqual(
      signer.chain.map(({ subject }) => subject),
      ['CN=Test Signer', 'CN=Test Intermediate 1', 'CN=Test Root'],
    );
  });

  it('refuses a certificate that breaks rules, naming each and its mend', () => {
    const error = thrown(() =>
      x509Signer(makePki({ leaf: { extendedKeyUsage: [EKU.serverAuth], subjectAlternativeNames: null } })),
    );
    assert.equal(error.code, 'certificate-refused');
    assert.match(
      error.message,
      /signer release: alternative-name \(certificate 0\): .*; code-signing \(certificate 0\): /,
    );
    assert.match(error.mend ?? '', /subjectAltName = URI:.*extendedKeyUsage = codeSigning/);
  });

  it('refuses an expired one, an incomplete chain and a foreign key', () => {
    const old = makePki({ leaf: { notAfter: new Date('2021-01-01Z') } });
    assert.match(thrown(() => x509Signer(old)).message, /not-expired .*2021-01-01/);
    const pki = makePki();
    const incomplete = thrown(() => x509Signer(pki, { chainPem: pki.intermediate.pem }));
    assert.equal(incomplete.code, 'certificate-refused');
    assert.match(incomplete.message, /chain-root .*"CN=Test Root"/);
    const foreign = thrown(() => x509Signer(pki, { keyPem: makePki().leaf.keyPem }));
    assert.equal(foreign.code, 'key-mismatch');
    assert.doesNotMatch(`${foreign.message}${foreign.mend}`, /BEGIN/);
  });

  it('refuses files that are none', () => {
    const pki = makePki();
    assert.equal(thrown(() => x509Signer(pki, { keyPem: 'x' })).code, 'key-unreadable');
    assert.equal(thrown(() => x509Signer(pki, { certificatePem: 'x' })).code, 'certificate-unreadable');
    assert.equal(thrown(() => x509Signer(pki, { chainPem: pki.leaf.keyPem })).code, 'certificate-unreadable');
  });

  it('refuses a self-signed certificate', () => {
    const own = selfSigned({ ...caDefaults(), basicConstraints: { ca: false }, keyUsage: ['digitalSignature'] });
    const error = thrown(() =>
      x509Signer(makePki(), { keyPem: own.keyPem, certificatePem: own.pem, chainPem: own.pem }),
    );
    assert.match(error.message, /not-self-signed/);
  });
});

describe('the catalogue of signers', () => {
  it('makes each kind', () => {
    const { leaf, chainPem } = makePki();
    const key = { id: 'a', keyPem: leaf.keyPem };
    assert.equal(createSigner({ type: 'key', ...key }).chain.length, 0);
    const x509 = createSigner({ type: 'x509', ...key, certificatePem: leaf.pem, chainPem, now: NOW });
    assert.equal(x509.chain.length, 3);
  });
});
