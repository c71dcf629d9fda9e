import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { noOwnPushes } from '#cli/local-engine.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import type { EvidenceLocation } from '#model/evidence.ts';
import type { Lease } from '#model/ports.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import { attestationLayer } from '#storage/attestation-manifest.ts';
import { readAttestationTag, readSignatures, readSignatureTag } from '#storage/attestation-tag-reader.ts';
import { signatureLayer } from '#storage/signature-layer.ts';
import { missingSignatures, writeSignatureTag } from '#storage/signature-tag-writer.ts';
import { signedImage, signedStatement, WITNESSED } from '../../support/signed-statement.ts';

const SUBJECT: Digest = sha256('an image');
const location: EvidenceLocation = { registry: 'registry.test', repository: 'team/app', digest: SUBJECT };
const lease: Lease = {
  fence: 1,
  signal: new AbortController().signal,
  check: async () => {},
  [Symbol.asyncDispose]: async () => {},
};
const one = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const two = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

function opened() {
  const target = createMemoryTarget();
  return { target, context: { target, lease, ownPushes: noOwnPushes } };
}

describe('witnesses beside a layer', () => {
  const SET = {
    SignedEntryTimestamp: Buffer.from('SET').toString('base64'),
    Payload: {
      body: Buffer.from('body 1').toString('base64'),
      integratedTime: 1750000000,
      logIndex: 123,
      logID: sha256('log 1').slice('sha256:'.length),
    },
  };
  const timestamp = (text: string) => ({ SignedRFC3161Timestamp: Buffer.from(text).toString('base64') });

  test('an attestation: the entry of Rekor v1, and the timestamp over the envelope', () => {
    const statement = signedStatement(one, SUBJECT, 'one', { witnessed: WITNESSED });
    const { annotations = {} } = attestationLayer(statement);
    assert.equal(annotations['dev.sigstore.cosign/bundle'], JSON.stringify(SET));
    assert.equal(annotations['dev.sigstore.cosign/rfc3161timestamp'], JSON.stringify(timestamp('over the envelope')));
    assert.equal(annotations['dev.cosignproject.cosign/signature'], '');
  });

  test('an image signature: the same entry, and the timestamp over the signature', () => {
    const signed = signedImage(one, SUBJECT, { witnessed: WITNESSED, certificate: 'LEAF', chain: 'CHAIN' });
    assert.deepEqual(signatureLayer(signed), {
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      digest: sha256(signed.payload),
      size: signed.payload.byteLength,
      annotations: {
        'dev.cosignproject.cosign/signature': Buffer.from(signed.signature).toString('base64'),
        'dev.sigstore.cosign/certificate': 'LEAF',
        'dev.sigstore.cosign/chain': 'CHAIN',
        'dev.sigstore.cosign/bundle': JSON.stringify(SET),
        'dev.sigstore.cosign/rfc3161timestamp': JSON.stringify(timestamp('over the signature')),
      },
    });
  });

  test('nothing is written empty, and an entry without a promise has no place', () => {
    assert.deepEqual(Object.keys(signatureLayer(signedImage(one, SUBJECT)).annotations ?? {}), [
      'dev.cosignproject.cosign/signature',
    ]);
    const witnessed = { ...WITNESSED, rekorV1: WITNESSED.rekorV2, envelopeTimestamps: [] };
    const { annotations = {} } = attestationLayer(signedStatement(one, SUBJECT, 'one', { witnessed }));
    assert.deepEqual(Object.keys(annotations).sort(), ['dev.cosignproject.cosign/signature', 'predicateType']);
  });
});

describe('the signatures of an image', () => {
  test('of two signers over the same bytes are two, and each once', async () => {
    const { target, context } = opened();
    const [first, second] = [signedImage(one, SUBJECT), signedImage(two, SUBJECT)];
    assert.deepEqual(first.payload, second.payload);
    const edit = { add: [first, second, first], relist: [], drop: [] };
    await writeSignatureTag(context, location, await readSignatures(target, location), edit);
    const read = await readSignatureTag(target, location);
    assert.deepEqual(
      read.map(({ descriptor, kind, bytes }) => [descriptor, kind, Buffer.from(bytes ?? [])]),
      [first, second].map((signed) => [signatureLayer(signed), 'image-signature', signed.payload]),
    );
    assert.deepEqual((await readAttestationTag(target, location)).layers, []);
  });

  test('are dropped one by one, listed again, and read back', async () => {
    const { target, context } = opened();
    const [first, second] = [signedImage(one, SUBJECT), signedImage(two, SUBJECT)];
    const layers = [signatureLayer(first), signatureLayer(second)] as const;
    const write = async (edit: Parameters<typeof writeSignatureTag>[3]) =>
      writeSignatureTag(context, location, await readSignatures(target, location), edit);
    await write({ add: [first, second], relist: [], drop: [] });
    await write({ add: [], relist: [], drop: [layers[0]] });
    assert.deepEqual((await readSignatures(target, location)).layers, [layers[1]]);
    assert.deepEqual(await missingSignatures(target, location, layers), [layers[0]]);
    await write({ add: [], relist: [layers[0]], drop: [] });
    assert.deepEqual(await missingSignatures(target, location, layers), []);
  });

  test('are not written over what another writer put there in between', async () => {
    const { target, context } = opened();
    const before = await readSignatures(target, location);
    await writeSignatureTag(context, location, before, { add: [signedImage(two, SUBJECT)], relist: [], drop: [] });
    const edit = { add: [signedImage(one, SUBJECT)], relist: [], drop: [] };
    await assert.rejects(writeSignatureTag(context, location, before, edit), { code: 'write-conflict' });
  });
});
