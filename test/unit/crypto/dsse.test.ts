import assert from 'node:assert/strict';
import { constants, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import { decodeBase64 } from '#crypto/base64.ts';
import { type Envelope, pae, parseEnvelope, verifySignature } from '#crypto/dsse.ts';
import { makeKey } from '../../support/pki.ts';

const PAYLOAD = Buffer.from('{"a":"ÿÿ>>"}');

function envelope(members: Record<string, unknown> = {}): Buffer {
  const base = {
    payloadType: 'text/x',
    payload: PAYLOAD.toString('base64'),
    signatures: [{ keyid: 'k', sig: 'AAEC' }],
  };
  return Buffer.from(JSON.stringify({ ...base, ...members }));
}

function read(bytes: Uint8Array): Envelope {
  const parsed = parseEnvelope(bytes);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.envelope;
}

function refused(bytes: Uint8Array, why: RegExp): void {
  const parsed = parseEnvelope(bytes);
  assert.ok(!parsed.ok);
  assert.equal(parsed.defect.code, 'envelope-malformed');
  assert.match(parsed.defect.message, why);
}

describe('pre-authentication encoding', () => {
  it('is the one of the DSSE specification', () => {
    const encoded = pae('http://example.com/HelloWorld', Buffer.from('hello world'));
    assert.equal(encoded.toString(), 'DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('counts bytes, not characters, and keeps any byte', () => {
    const wanted = Buffer.concat([Buffer.from('DSSEv1 2 é 2 '), Buffer.from([0, 255])]);
    assert.deepEqual(pae('é', Buffer.from([0, 255])), wanted);
  });
});

describe('envelopes', () => {
  it('reads payload, type and signatures', () => {
    const found = read(envelope());
    assert.equal(found.payloadType, 'text/x');
    assert.deepEqual(Buffer.from(found.payload), PAYLOAD);
    assert.deepEqual(found.payloadForm, { alphabet: 'standard', padded: true, lineEnds: false });
    assert.deepEqual(
      found.signatures.map(({ keyid, signature }) => [keyid, [...signature]]),
      [['k', [0, 1, 2]]],
    );
    assert.deepEqual(found.extraMembers, []);
  });

  it('reads other forms of base64 and says which', () => {
    const url = PAYLOAD.toString('base64url');
    assert.match(url, /[-_]/);
    assert.deepEqual(read(envelope({ payload: url })).payloadForm, {
      alphabet: 'url-safe',
      padded: url.length % 4 === 0,
      lineEnds: false,
    });
    const unpadded = Buffer.from('x').toString('base64').replace(/=+$/, '');
    assert.deepEqual(read(envelope({ payload: unpadded })).payloadForm, {
      alphabet: 'standard',
      padded: false,
      lineEnds: false,
    });
    const broken = `${PAYLOAD.toString('base64').slice(0, 4)}\r\n${PAYLOAD.toString('base64').slice(4)}`;
    assert.deepEqual(read(envelope({ payload: broken })).payloadForm, {
      alphabet: 'standard',
      padded: true,
      lineEnds: true,
    });
    assert.deepEqual(Buffer.from(read(envelope({ payload: broken })).payload), PAYLOAD);
  });

  it('names members that nothing signs', () => {
    assert.deepEqual(read(envelope({ critical: {}, optional: 1 })).extraMembers, ['critical', 'optional']);
    assert.deepEqual(read(envelope({ PayloadType: 'x' })).extraMembers, ['PayloadType']);
  });

  it('takes absent signatures and keyids for empty', () => {
    assert.deepEqual(read(envelope({ signatures: [] })).signatures, []);
    assert.deepEqual(read(envelope({ signatures: undefined })).signatures, []);
    assert.equal(read(envelope({ signatures: [{ sig: '' }] })).signatures[0]?.keyid, '');
  });

  it('takes the last of duplicate members, as the verifiers do', () => {
    const twice = `{"payload":"AAAA",${envelope().toString().slice(1)}`;
    assert.deepEqual(Buffer.from(read(Buffer.from(twice)).payload), PAYLOAD);
  });

  it('refuses everything else, and does not throw', () => {
    refused(Buffer.from('nope'), /not a JSON object/);
    refused(Buffer.from('[]'), /not a JSON object/);
    refused(Buffer.from('null'), /not a JSON object/);
    refused(Buffer.concat([Buffer.from('efbbbf', 'hex'), envelope()]), /not a JSON object/);
    refused(Buffer.from('['.repeat(200_000)), /not a JSON object/);
    refused(envelope({ payloadType: 1 }), /payloadType/);
    refused(envelope({ payload: 1 }), /payload is not a text/);
    refused(envelope({ payload: 'a*b=' }), /payload is not base64/);
    refused(envelope({ signatures: {} }), /signatures is not a list/);
    refused(envelope({ signatures: [1] }), /signatures\[0\]/);
    refused(envelope({ signatures: [{ keyid: 'x' }] }), /signatures\[0\]/);
    refused(envelope({ signatures: [{ sig: 'AAAA' }, { sig: '*' }] }), /signatures\[1\]/);
    refused(envelope({ signatures: [{ sig: 'AAAA', keyid: 1 }] }), /signatures\[0\]/);
    refused(envelope({ signatures: Array.from({ length: 101 }, () => ({ sig: 'AAAA' })) }), /more than 100/);
  });
});

describe('base64', () => {
  it('refuses a mix of alphabets, stray padding and impossible lengths', () => {
    for (const text of ['+-AA', 'A', 'AAAAA', 'AA=A', 'A===', 'AAAA=', 'AA AA', 'AAA==']) {
      assert.equal(decodeBase64(text), undefined, text);
    }
  });

  it('takes the empty text', () => assert.equal(decodeBase64('')?.bytes.length, 0));
});

describe('signatures', () => {
  const data = Buffer.from('signed');

  for (const kind of ['p256', 'p384', 'p521', 'rsa2048', 'rsa1024', 'ed25519'] as const) {
    it(`verifies ${kind} with SHA-256, and nothing that was changed`, () => {
      const key = makeKey(kind);
      const publicKey = createPublicKey(key);
      const signature = sign(kind === 'ed25519' ? null : 'sha256', data, key);
      assert.equal(verifySignature(publicKey, data, signature), true);
      assert.equal(verifySignature(publicKey, Buffer.from('Signed'), signature), false);
      assert.equal(verifySignature(createPublicKey(makeKey(kind)), data, signature), false);
      const changed = Buffer.from(signature);
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
      assert.equal(verifySignature(publicKey, data, changed), false);
      assert.equal(verifySignature(publicKey, data, Buffer.alloc(0)), false);
    });
  }

  it('refuses other digests, RSA-PSS and the raw form of ECDSA', () => {
    const [ec, rsa] = [makeKey('p384'), makeKey('rsa2048')];
    assert.equal(verifySignature(createPublicKey(ec), data, sign('sha384', data, ec)), false);
    assert.equal(verifySignature(createPublicKey(rsa), data, sign('sha512', data, rsa)), false);
    const pss = sign('sha256', data, { key: rsa, padding: constants.RSA_PKCS1_PSS_PADDING });
    assert.equal(verifySignature(createPublicKey(rsa), data, pss), false);
    const raw = sign('sha256', data, { key: ec, dsaEncoding: 'ieee-p1363' });
    assert.equal(verifySignature(createPublicKey(ec), data, raw), false);
  });

  it('verifies nothing with a key that is too short or of another kind', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 512 });
    assert.equal(verifySignature(short.publicKey, data, sign('sha256', data, short.privateKey)), false);
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
    assert.equal(verifySignature(pss.publicKey, data, sign('sha256', data, pss.privateKey)), false);
  });
});
