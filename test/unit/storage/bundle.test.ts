import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { pae, verifySignature } from '#crypto/dsse.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import { OCI_INDEX } from '#model/media-types.ts';
import { bundleJson } from '#storage/bundle-json.ts';
import { bundleLayer, bundleManifest, EMPTY_CONFIG } from '#storage/bundle-manifest.ts';
import { makePki } from '../../support/pki.ts';
import { EXAMPLE_TYPE, signedStatement, WITNESSED } from '../../support/signed-statement.ts';

const SUBJECT: Digest = sha256('an image');
const CREATED = new Date('2026-08-20T10:00:00.987Z');
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const parsed = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));

describe('the bundle', () => {
  test('of a plain key names it by the digest of its SPKI, and verifies', () => {
    const statement = signedStatement(privateKey, SUBJECT, 'one');
    const { dsseEnvelope, ...rest } = parsed(bundleJson(statement));
    const hint = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64');
    assert.deepEqual(rest, {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
    });
    const [signature, ...more] = dsseEnvelope.signatures;
    assert.deepEqual(
      [Object.keys(dsseEnvelope), Object.keys(signature), signature.keyid, more],
      [['payload', 'payloadType', 'signatures'], ['sig', 'keyid'], '', []],
    );
    const signed = pae(dsseEnvelope.payloadType, Buffer.from(dsseEnvelope.payload, 'base64'));
    assert.ok(verifySignature(publicKey, signed, Buffer.from(signature.sig, 'base64')));
  });

  test('of a certificate holds the leaf alone', () => {
    const { leaf, chainPem } = makePki();
    const statement = signedStatement(leaf.key, SUBJECT, 'one', { certificate: leaf.pem, chain: chainPem });
    const { verificationMaterial } = parsed(bundleJson(statement));
    assert.deepEqual(verificationMaterial, {
      certificate: { rawBytes: leaf.der.toString('base64') },
      tlogEntries: [],
    });
  });

  test('carries the entries of both logs and the timestamp over the signature, without a member of ours', () => {
    const extra = { ...WITNESSED.rekorV1[0], note: 'of no reader' } as (typeof WITNESSED.rekorV1)[0];
    const witnessed = { ...WITNESSED, rekorV1: [extra] };
    const { verificationMaterial } = parsed(bundleJson(signedStatement(privateKey, SUBJECT, 'one', { witnessed })));
    assert.deepEqual(verificationMaterial.tlogEntries, [WITNESSED.rekorV1[0], WITNESSED.rekorV2[0]]);
    assert.deepEqual(verificationMaterial.timestampVerificationData, {
      rfc3161Timestamps: [{ signedTimestamp: Buffer.from('over the signature').toString('base64') }],
    });
  });
});

describe('the manifest of a bundle', () => {
  const subject = { mediaType: OCI_INDEX, digest: SUBJECT, size: 1609, annotations: { not: 'carried' } };

  test('is what cosign writes, with a file name for oras, and how the fallback tag lists it', () => {
    const statement = signedStatement(privateKey, SUBJECT, 'one');
    const layer = bundleLayer(statement, CREATED);
    const { bytes, descriptor } = bundleManifest(layer.descriptor, subject);
    const bundle = 'application/vnd.dev.sigstore.bundle.v0.3+json';
    const annotations = {
      'org.opencontainers.image.created': '2026-08-20T10:00:00Z',
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': EXAMPLE_TYPE,
    };
    assert.deepEqual(parsed(bytes), {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: bundle,
      config: {
        mediaType: 'application/vnd.oci.empty.v1+json',
        size: 2,
        digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
        artifactType: bundle,
      },
      layers: [
        {
          ...{ mediaType: bundle, size: layer.bytes.byteLength, digest: sha256(layer.bytes) },
          annotations: { 'org.opencontainers.image.title': `${sha256(layer.bytes).slice(7, 19)}.sigstore.json` },
        },
      ],
      subject: { mediaType: OCI_INDEX, size: 1609, digest: SUBJECT },
      annotations,
    });
    assert.deepEqual(descriptor, {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: sha256(bytes),
      size: bytes.byteLength,
      artifactType: bundle,
      annotations,
    });
    assert.equal(sha256(EMPTY_CONFIG), parsed(bytes).config.digest);
  });

  test('is the same bytes again from what a record keeps of its layer', () => {
    const statement = signedStatement(privateKey, SUBJECT, 'one');
    const { descriptor } = bundleLayer(statement, CREATED);
    const first = bundleManifest(descriptor, subject);
    const recorded = JSON.parse(JSON.stringify(bundleLayer(statement, CREATED).descriptor));
    assert.deepEqual(bundleManifest(recorded, subject).bytes, first.bytes);
    const later = bundleLayer(statement, new Date('2026-08-20T10:00:02Z')).descriptor;
    assert.notDeepEqual(bundleManifest(later, subject).bytes, first.bytes);
  });
});
