import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { AppError } from '#model/errors.ts';
import { identityFingerprint } from '#signing/keyless.ts';
import { signImage } from '#signing/sign-image.ts';
import { signStatement } from '#signing/sign-statement.ts';
import type { KeylessSigner } from '#signing/signer.ts';
import { issuerExtensions } from '../../support/fulcio-server.ts';
import { edited } from '../../support/http-server.ts';
import { type KeylessGround, startKeyless, WORKER } from '../../support/keyless-ground.ts';
import { type CertificateSpec, makePki } from '../../support/pki.ts';

const TYPE = 'https://example.test/predicate';
const MINUTE = 60_000;

let ground: KeylessGround;
before(async () => {
  ground = await startKeyless();
});
beforeEach(() => {
  ground.fulcio.bend();
  ground.fulcio.certify({});
});
afterEach(() => {
  for (const server of [ground.rekor1, ground.tsa, ground.issuer]) server.bend();
});
after(() => ground[Symbol.asyncDispose]());

function sign(signer: KeylessSigner, signal?: AbortSignal) {
  const subject = [{ name: 'app', digest: { sha256: 'a'.repeat(64) } }];
  const payload = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType: TYPE, predicate: {} };
  const layouts = ['cosign-tag', 'bundle'] as const;
  return signStatement(signer, Buffer.from(JSON.stringify(payload)), TYPE, { layouts, signal });
}

describe('a keyless signer', () => {
  for (const version of [2, 1] as const) {
    test(`signs with a certificate of Fulcio, API version ${version}, and is named by its identity`, async () => {
      const signer = ground.signer({ version });
      const signed = await sign(signer);
      const leaf = new X509Certificate(signed.certificate ?? '');
      assert.equal(leaf.subjectAltName, `email:${WORKER}`);
      const chain = parseCertificates(signed.chain ?? '').map(({ subject }) => subject);
      assert.deepEqual(chain, ['CN=Test Intermediate 1', 'CN=Test Root']);
      assert.equal(signed.publicKey, leaf.publicKey.export({ type: 'spki', format: 'pem' }));
      assert.equal(signed.fingerprint, identityFingerprint({ subject: WORKER, issuer: ground.issuer.url }));
      assert.equal(signed.fingerprint, ground.signer().fingerprint);
      const { rekorV1, rekorV2, signatureTimestamps, envelopeTimestamps } = signed.witnessed;
      const counts = [rekorV1, rekorV2, signatureTimestamps, envelopeTimestamps].map(({ length }) => length);
      assert.deepEqual(counts, [1, 1, 1, 1]);
    });
  }

  test('proves its key over the subject where the issuer gives no address', async () => {
    const subject = 'https://kubernetes.io/namespaces/attestry/serviceaccounts/worker';
    const signer = ground.signer({
      provider: ground.provider({ subject }),
      identity: { subject, issuer: ground.issuer.url },
    });
    const signed = await sign(signer);
    assert.equal(new X509Certificate(signed.certificate ?? '').subjectAltName, `URI:${subject}`);
  });

  test('signs images too', async () => {
    const claim = { repository: 'registry.test/app', digest: `sha256:${'b'.repeat(64)}` } as const;
    const signed = await signImage(ground.signer(), claim);
    assert.match(signed.certificate ?? '', /BEGIN CERTIFICATE/);
    assert.equal(signed.witnessed.rekorV1.length, 1);
  });

  test('uses a certificate for all that it signs until three minutes are left', async () => {
    const signer = ground.signer();
    const first = await sign(signer);
    const asked = ground.fulcio.requests.length;
    ground.clock.pass(6 * MINUTE);
    assert.equal((await sign(signer)).certificate, first.certificate);
    assert.equal(ground.fulcio.requests.length, asked);
    ground.clock.pass(MINUTE);
    const next = await sign(signer);
    assert.notEqual(next.certificate, first.certificate);
    assert.notEqual(next.publicKey, first.publicKey);
    assert.equal(next.fingerprint, first.fingerprint);
  });

  test('asks once for all who wait, and whoever gives up ends it for nobody else', async () => {
    const signer = ground.signer();
    const asked = ground.fulcio.requests.length;
    const stop = new AbortController();
    const held = Promise.withResolvers<void>();
    ground.fulcio.bend(async (honest) => {
      stop.abort();
      await held.promise;
      return honest;
    });
    const impatient = sign(signer, stop.signal);
    const patient = [sign(signer), sign(signer)];
    await assert.rejects(impatient, { code: 'canceled' });
    held.resolve();
    const [one, other] = await Promise.all(patient);
    assert.equal(one?.certificate, other?.certificate);
    assert.equal(ground.fulcio.requests.length, asked + 1);
  });

  test('tries anew after a failure', async () => {
    const signer = ground.signer();
    ground.fulcio.bend(() => ({ status: 503 }));
    await assert.rejects(sign(signer), { code: 'ca-unavailable' });
    ground.fulcio.bend();
    await sign(signer);
  });

  test('needs a witness that tells the time', () => {
    for (const witnesses of [[], [ground.known[1]]]) {
      assert.throws(() => ground.signer({ witnesses }), {
        code: 'config-invalid',
        field: 'signers.pipeline.witnesses',
      });
    }
    ground.signer({ witnesses: [ground.known[2]] });
  });
});

describe('a certificate that is not the expected one signs nothing', () => {
  const rejected = async (spec: CertificateSpec, code: string, message: RegExp) => {
    ground.fulcio.certify(spec);
    const logged = ground.rekor1.requests.length;
    await assert.rejects(sign(ground.signer()), { code, message });
    assert.equal(ground.rekor1.requests.length, logged);
  };

  test('of another name, of two, of none that is asked for', async () => {
    const mismatch = /certified ".*" of the issuer .* and the signer is "worker@attestry\.test"/;
    const worker = { type: 'email', value: WORKER } as const;
    const evil = { type: 'email', value: `evil-${WORKER}` } as const;
    for (const subjectAlternativeNames of [
      [evil],
      [worker, evil],
      [evil, worker],
      [{ type: 'uri', value: `https://${WORKER}` }],
    ] as const) {
      await rejected({ subjectAlternativeNames }, 'identity-mismatch', mismatch);
    }
  });

  test('of another issuer, of none, of two that differ', async () => {
    const { url } = ground.issuer;
    for (const extensions of [
      issuerExtensions('https://evil.test'),
      issuerExtensions(url, 'https://evil.test'),
      issuerExtensions('https://evil.test', url),
      [],
    ]) {
      await rejected({ extensions }, 'identity-mismatch', /of the issuer "/);
    }
  });

  test('for another key', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await rejected({ publicKey }, 'ca-protocol', /for another key/);
  });

  test('that no code may be signed with', async () => {
    await rejected({ extendedKeyUsage: null }, 'ca-protocol', /codeSigning/);
  });

  test('of a CA that is not trusted', async () => {
    const { anchors } = ground.authority;
    const authorities = [
      { anchors: parseCertificates(makePki().root.pem), intermediates: [] },
      // A bundle holds the leaf alone, so what the CA sends along counts for nothing.
      { anchors, intermediates: [] },
    ];
    for (const trust of [{ authorities }, { authorities: [] }]) {
      await assert.rejects(sign(ground.signer({ trust: () => trust })), {
        code: 'ca-protocol',
        mend: /root and intermediates/,
      });
    }
    await sign(ground.signer({ trust: () => ({ authorities: [...authorities, ground.authority] }) }));
  });

  test('without the certificate timestamp that the trust asks for', async () => {
    const trust = () => ({ authorities: [ground.authority], certificateLogs: [] });
    await assert.rejects(sign(ground.signer({ trust })), { code: 'ca-protocol', message: /\(SCT\)/ });
  });

  test('whose time is not now: the clocks differ', async () => {
    const now = ground.clock.now().getTime();
    const from = (start: number, end: number): CertificateSpec => ({
      notBefore: new Date(now + start),
      notAfter: new Date(now + end),
    });
    await rejected(from(2 * MINUTE, 12 * MINUTE), 'clock-skew', /this machine says/);
    await rejected(from(-12 * MINUTE, -2 * MINUTE), 'clock-skew', /this machine says/);
    ground.fulcio.certify(from(30_000, 10 * MINUTE));
    const credential = await ground.signer().credential();
    assert.equal(credential.chain.length, 3);
  });
});

describe('what Fulcio answers', () => {
  for (const [status, code] of [
    [400, 'ca-refused'],
    [403, 'ca-refused'],
    [404, 'ca-refused'],
    [302, 'ca-refused'],
    [429, 'ca-throttled'],
    [500, 'ca-unavailable'],
    [503, 'ca-unavailable'],
  ] as const) {
    test(`status ${status} is ${code}`, async () => {
      ground.fulcio.bend(() => ({ status, headers: { 'retry-after': '30' }, body: '{"message":"its reason"}' }));
      await assert.rejects(sign(ground.signer()), { code, message: new RegExp(`answered ${status}: its reason`) });
    });
  }

  test('no certificates, broken ones, too many bytes', async () => {
    for (const body of ['{}', '', '<html>', '{"signedCertificateEmbeddedSct":{"chain":{"certificates":[]}}}']) {
      ground.fulcio.bend(() => ({ status: 200, body }));
      await assert.rejects(sign(ground.signer()), { code: 'ca-protocol', message: /certificates/ });
    }
    ground.fulcio.bend((honest) =>
      edited(honest, () => ({ signedCertificateDetachedSct: { chain: { certificates: ['-----BEGIN CERT'] } } })),
    );
    await assert.rejects(sign(ground.signer()), { code: 'ca-protocol', message: /certificates/ });
    ground.fulcio.bend(() => ({ status: 200, body: Buffer.alloc(1024 * 1024, 0x20) }));
    await assert.rejects(sign(ground.signer()), { code: 'ca-protocol', message: /larger than/ });
  });

  test('a token that it quotes is in no message, whole or in part', async () => {
    const token = ground.issuer.token({ email: WORKER });
    const provider = ground.provider(() => token);
    for (const body of [`bad token ${token}`, JSON.stringify({ message: `"${token}" is bad` }), token.slice(0, 400)]) {
      for (const version of [1, 2] as const) {
        ground.fulcio.bend(() => ({ status: 400, body }));
        const error = await sign(ground.signer({ provider, version })).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof AppError && error.code === 'ca-refused');
        for (let shown: unknown = error; shown instanceof Error; shown = shown.cause) {
          for (const part of token.split('.')) assert.ok(!shown.message.includes(part.slice(0, 24)), shown.message);
        }
      }
    }
  });
});
