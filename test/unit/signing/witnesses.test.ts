import assert from 'node:assert/strict';
import { createHash, sign } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { parseTimestampResponse } from '#crypto/timestamp-response.ts';
import { sha256Hex } from '#model/digest.ts';
import type { EvidenceLayout } from '#model/evidence.ts';
import { createKeySigner } from '#signing/key.ts';
import { signImage } from '#signing/sign-image.ts';
import { signStatement } from '#signing/sign-statement.ts';
import type { FixedSigner } from '#signing/signer.ts';
import type { Witness } from '#signing/witness.ts';
import { createX509Signer } from '#signing/x509.ts';
import { type KeyKind, makeKey, makePki } from '../../support/pki.ts';
import { startWitnesses, type WitnessGround } from '../../support/signing-ground.ts';

const TYPE = 'https://example.test/predicate';
const IMAGE = { repository: 'registry.test/team/app', digest: `sha256:${'b'.repeat(64)}` } as const;
const BOTH: readonly EvidenceLayout[] = ['cosign-tag', 'bundle'];

let ground: WitnessGround;
before(async () => {
  ground = await startWitnesses();
});
afterEach(() => {
  for (const server of [ground.rekor1, ground.rekor2, ground.tsa]) server.bend();
  ground.tsa.stamp({});
});
after(() => ground[Symbol.asyncDispose]());

let statements = 0;

/** A statement like no other, so that no log has it already. */
function payload(): Buffer {
  statements += 1;
  const subject = [{ name: 'app', digest: { sha256: 'a'.repeat(64) } }];
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject,
    predicateType: TYPE,
    predicate: { statements },
  };
  return Buffer.from(JSON.stringify(statement));
}

function keySigner(witnesses: readonly Witness[], kind: KeyKind = 'p256'): FixedSigner {
  const keyPem = makeKey(kind).export({ type: 'pkcs8', format: 'pem' }).toString();
  return createKeySigner({ id: 'release', keyPem, witnesses });
}

function x509Signer(witnesses: readonly Witness[], notAfter?: Date): FixedSigner {
  const { leaf, chainPem } = makePki({ leaf: notAfter ? { notAfter } : {} });
  const now = new Date('2026-01-01T00:00:00Z');
  return createX509Signer({ id: 'release', keyPem: leaf.keyPem, certificatePem: leaf.pem, chainPem, now, witnesses });
}

function signWith(signer: FixedSigner, layouts = BOTH, bytes = payload()) {
  return signStatement(signer, bytes, TYPE, { layouts });
}

const decoded = (body: string) => JSON.parse(Buffer.from(body, 'base64').toString());

describe('what witnesses give', () => {
  for (const [what, make] of [
    ['a plain key', keySigner],
    ['a certificate', x509Signer],
  ] as const) {
    test(`for ${what} and both layouts: an entry of each log, and two timestamps`, async () => {
      for (const witnesses of [ground.known, ground.unknown]) {
        const { witnessed, envelope, payload: bytes, signature } = await signWith(make(witnesses));
        const [first, ...more] = witnessed.rekorV1;
        assert.ok(first && more.length === 0);
        const { spec } = decoded(first.canonicalizedBody);
        assert.equal(spec.envelopeHash.value, sha256Hex(envelope));
        assert.equal(spec.payloadHash.value, sha256Hex(bytes));
        assert.deepEqual(first.kindVersion, { kind: 'dsse', version: '0.0.1' });
        assert.equal(first.integratedTime, String(ground.clock.now().getTime() / 1000));
        const [second] = witnessed.rekorV2;
        assert.ok(second && witnessed.rekorV2.length === 1);
        assert.equal(second.integratedTime, undefined);
        assert.equal(second.inclusionPromise, undefined);
        const { data } = decoded(second.canonicalizedBody).spec.hashedRekordV002;
        const pae = `DSSEv1 28 application/vnd.in-toto+json ${bytes.length} ${Buffer.from(bytes).toString()}`;
        assert.equal(data.digest, createHash('sha256').update(pae).digest('base64'));
        assert.deepEqual(witnessed.signatureTimestamps.map(imprintOf), [sha256Hex(signature)]);
        assert.deepEqual(witnessed.envelopeTimestamps.map(imprintOf), [sha256Hex(envelope)]);
      }
    });
  }

  test('only what the layouts can hold is asked for', async () => {
    const asked = () => [ground.rekor1, ground.rekor2, ground.tsa].map(({ requests }) => requests.length);
    const signer = keySigner(ground.known);
    const start = asked();
    const legacy = await signWith(signer, ['cosign-tag']);
    const between = asked();
    const bundle = await signWith(signer, ['bundle']);
    const spent = (from: number[], to: number[]) => to.map((count, at) => count - (from[at] ?? 0));
    assert.deepEqual(spent(start, between), [1, 0, 1]);
    assert.deepEqual(spent(between, asked()), [1, 1, 1]);
    assert.deepEqual([legacy.witnessed.signatureTimestamps.length, legacy.witnessed.envelopeTimestamps.length], [0, 1]);
    assert.deepEqual([bundle.witnessed.signatureTimestamps.length, bundle.witnessed.envelopeTimestamps.length], [1, 0]);
  });

  test('an image signature is logged by its payload, and stamped over its signature', async () => {
    const { witnessed, payload: bytes, signature } = await signImage(keySigner(ground.known), IMAGE);
    const [entry] = witnessed.rekorV1;
    assert.deepEqual(entry?.kindVersion, { kind: 'hashedrekord', version: '0.0.1' });
    assert.equal(decoded(entry?.canonicalizedBody ?? '').spec.data.hash.value, sha256Hex(bytes));
    assert.deepEqual(witnessed.signatureTimestamps.map(imprintOf), [sha256Hex(signature)]);
    assert.deepEqual([witnessed.rekorV2.length, witnessed.envelopeTimestamps.length], [0, 0]);
  });

  test('what a log has already is found there: a key whose signatures do not vary, tried again', async () => {
    const signer = keySigner(ground.known, 'rsa2048');
    ground.rekor2.fill(700);
    const bytes = payload();
    const once = await signWith(signer, BOTH, bytes);
    await signWith(signer);
    ground.clock.pass(3_600_000);
    const again = await signWith(signer, BOTH, bytes);
    const [[old1], [new1]] = [once.witnessed.rekorV1, again.witnessed.rekorV1];
    assert.equal(new1?.logIndex, old1?.logIndex);
    assert.equal(new1?.integratedTime, old1?.integratedTime);
    const [[old2], [new2]] = [once.witnessed.rekorV2, again.witnessed.rekorV2];
    assert.equal(new2?.logIndex, old2?.logIndex);
    assert.equal(new2?.canonicalizedBody, old2?.canonicalizedBody);
    assert.deepEqual(new2?.logId, old2?.logId);
    assert.notDeepEqual(new2?.inclusionProof, old2?.inclusionProof);
  });
});

describe('what witnesses refuse', () => {
  const [rekor1, rekor2, tsa] = [0, 1, 2] as const;
  for (const [status, code] of [
    [400, 'witness-refused'],
    [401, 'witness-refused'],
    [301, 'witness-refused'],
    [429, 'witness-throttled'],
    [500, 'witness-unavailable'],
    [503, 'witness-unavailable'],
  ] as const) {
    test(`status ${status} is ${code}, with the reason that it gives`, async () => {
      for (const [which, server] of [
        [rekor1, ground.rekor1],
        [rekor2, ground.rekor2],
        [tsa, ground.tsa],
      ] as const) {
        const headers = { 'retry-after': '7', location: 'http://169.254.169.254/' };
        server.bend(() => ({ status, headers, body: '{"code":1,"message":"the\\nreason"}' }));
        await assert.rejects(signWith(keySigner([ground.known[which]])), (error: Error) => {
          assert.match(error.message, new RegExp(`answered ${status}: the reason`));
          assert.equal(Reflect.get(error, 'code'), code);
          assert.equal(Reflect.get(error, 'retryAfterMs'), status === 429 ? 7000 : undefined);
          return true;
        });
      }
    });
  }

  test('an answer without end is given up at its limit', async () => {
    for (const [which, server] of [
      [rekor1, ground.rekor1],
      [rekor2, ground.rekor2],
      [tsa, ground.tsa],
    ] as const) {
      server.bend(() => ({ status: 201, body: Buffer.alloc(3 * 1024 * 1024, 0x20) }));
      await assert.rejects(signWith(keySigner([ground.known[which]])), { code: 'witness-protocol', message: /larger/ });
    }
  });

  test('one that fails ends all, and the others are not waited for', async () => {
    const answers = Promise.withResolvers<void>();
    ground.rekor1.bend(async (honest) => {
      await answers.promise;
      return honest;
    });
    ground.tsa.bend(() => ({ status: 503 }));
    await assert.rejects(signWith(keySigner(ground.known)), { code: 'witness-unavailable' });
    answers.resolve();
  });

  test('who gives up waiting is told so', async () => {
    const stop = new AbortController();
    ground.tsa.bend((honest) => {
      stop.abort();
      return honest;
    });
    const signed = signStatement(keySigner([ground.known[tsa]]), payload(), TYPE, {
      layouts: BOTH,
      signal: stop.signal,
    });
    await assert.rejects(signed, { code: 'canceled' });
  });

  test('a log that says it has the entry, and not where', async () => {
    for (const location of ['', 'http://elsewhere.test/api/v1/log/entries/1', '/api/v1/log/entries/../../secrets']) {
      ground.rekor1.bend(() => ({ status: 409, headers: { location } }));
      await assert.rejects(signWith(keySigner([ground.known[rekor1]])), { code: 'witness-protocol', message: /where/ });
    }
    ground.rekor2.bend(() => ({ status: 409 }));
    await assert.rejects(signWith(keySigner([ground.known[rekor2]])), { code: 'witness-protocol', message: /where/ });
  });

  test('a log of version 2 that publishes no files cannot tell what it has', async () => {
    const signer = keySigner([ground.known[rekor2]], 'rsa2048');
    const bytes = payload();
    await signWith(signer, BOTH, bytes);
    ground.rekor2.bend((honest, { method }) => (method === 'GET' ? { status: 501 } : honest));
    await assert.rejects(signWith(signer, BOTH, bytes), { code: 'witness-refused', message: /does not publish it/ });
    const unknown = keySigner([ground.unknown[rekor2]], 'rsa2048');
    await signWith(unknown, BOTH, bytes);
    await assert.rejects(signWith(unknown, BOTH, bytes), { code: 'witness-refused', message: /without its key/ });
  });
});

test('the time that a witness tells must be one at which the certificate is valid', async () => {
  for (const which of [0, 2] as const) {
    const notAfter = new Date(ground.clock.now().getTime() - 1000);
    const late = signWith(x509Signer([ground.known[which]], notAfter));
    await assert.rejects(late, { code: 'clock-skew', message: /its certificate:/ });
  }
});

test('a timestamp of another hour than ours is refused, with both times', async () => {
  ground.tsa.stamp({ time: new Date(ground.clock.now().getTime() - 3_600_000) });
  await assert.rejects(signWith(keySigner([ground.known[2]])), { code: 'clock-skew', message: /this machine says/ });
});

test('a signer whose key is another than it says publishes nothing, and no witness sees it', async () => {
  const honest = keySigner(ground.known);
  const other = makeKey();
  const signer: FixedSigner = {
    ...honest,
    signer: { sign: async (data) => ({ ...(await honest.signer.sign(data)), signature: sign('sha256', data, other) }) },
  };
  const asked = ground.rekor1.requests.length + ground.tsa.requests.length;
  await assert.rejects(signWith(signer), { code: 'key-mismatch' });
  await assert.rejects(signImage(signer, IMAGE), { code: 'key-mismatch' });
  assert.equal(ground.rekor1.requests.length + ground.tsa.requests.length, asked);
});

function imprintOf(response: Uint8Array): string {
  return parseTimestampResponse(response).imprint.digest.toString('hex');
}
