import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIGSTORE_BUNDLE, SIGSTORE_BUNDLE_V03 } from '#model/media-types.ts';
import { parseBundle } from '#verification/bundle.ts';
import { createPrivateSigstore, LOGGED_AT } from '../../support/private-sigstore.ts';

const sigstore = createPrivateSigstore();
const BUNDLE = sigstore.bundle({ stamped: LOGGED_AT });
const MATERIAL = BUNDLE.verificationMaterial;
const [ENTRY] = MATERIAL.tlogEntries;
const { certificate } = { certificate: undefined, ...MATERIAL };

function problem(json: unknown, profile: 'compat' | 'strict' = 'strict'): string {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  const parsed = parseBundle(Buffer.from(text), profile);
  return parsed.ok ? 'none' : parsed.defect.message;
}

const withMaterial = (more: object) => ({ ...BUNDLE, verificationMaterial: { ...MATERIAL, ...more } });
const withEntry = (more: object) => withMaterial({ tlogEntries: [{ ...ENTRY, ...more }] });

test('what is no bundle is refused with the place that is wrong', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['', /not JSON/],
    ['[]', /is not an object/],
    ['{"mediaType":1}', /mediaType is not a text/],
    [{ ...BUNDLE, mediaType: 'application/json' }, /mediaType "application\/json"/],
    [{ ...BUNDLE, mediaType: `${SIGSTORE_BUNDLE}.v0.4+json` }, /is none of a bundle that is read/],
    [{ ...BUNDLE, mediaType: `${SIGSTORE_BUNDLE}+json;version=0.3+json` }, /is none of a bundle/],
    [JSON.stringify(BUNDLE).replace('{', '{"mediaType":"x",'), /mediaType.* occurs twice/],
    [{ ...BUNDLE, messageSignature: {} }, /exactly one of dsseEnvelope and messageSignature/],
    [{ ...BUNDLE, dsseEnvelope: null }, /exactly one of/],
    [withMaterial({ certificate: undefined }), /holds 0 of certificate, chain and key/],
    [withMaterial({ publicKey: { hint: '' } }), /holds 2 of/],
    [
      withMaterial({ certificate: undefined, x509CertificateChain: { certificates: [] } }),
      /x509CertificateChain is empty/,
    ],
    [withMaterial({ tlogEntries: Array(33).fill(ENTRY) }), /more than 32/],
    [withMaterial({ tlogEntries: {} }), /tlogEntries is not a list/],
    [withEntry({ logIndex: '-1' }), /logIndex is not a whole number/],
    [withEntry({ logIndex: '9223372036854775808' }), /logIndex is not a whole number/],
    [withEntry({ logIndex: 1.5 }), /logIndex is not a whole number/],
    [withEntry({ inclusionProof: undefined }), /no inclusion proof/],
    [withEntry({ inclusionProof: { ...ENTRY?.inclusionProof, hashes: Array(65).fill('AAAA') } }), /more than 64/],
    [withEntry({ canonicalizedBody: '' }), /canonicalizedBody is empty/],
    [withEntry({ canonicalizedBody: 'é' }), /canonicalizedBody is not base64/],
    [`{"a":${'['.repeat(20_000)}`, /nested deeper/],
  ];
  for (const [json, wanted] of cases) assert.match(problem(json), wanted);
});

test('versions ask for what they always had', () => {
  const version = (mediaType: string, more: object) => problem({ ...withEntry(more), mediaType });
  const noPromise = { inclusionPromise: undefined };
  const noProof = { inclusionProof: undefined };
  assert.match(version(`${SIGSTORE_BUNDLE}+json;version=0.1`, noPromise), /no inclusion promise/);
  assert.equal(version(`${SIGSTORE_BUNDLE}+json;version=0.1`, noProof), 'none');
  assert.match(version(`${SIGSTORE_BUNDLE}+json;version=0.2`, noProof), /no inclusion proof/);
  assert.equal(version(SIGSTORE_BUNDLE_V03, noPromise), 'none');
});

test('a chain belongs to versions before 0.3; our own reading takes the ones that cosign wrote all the same', () => {
  const chain = withMaterial({ certificate: undefined, x509CertificateChain: { certificates: [certificate] } });
  assert.match(problem(chain, 'compat'), /version 0.3 carries the certificate of the signer alone/);
  assert.equal(problem({ ...chain, mediaType: `${SIGSTORE_BUNDLE}+json;version=0.2` }, 'compat'), 'none');
  assert.equal(problem(chain), 'none');
  const parsed = parseBundle(Buffer.from(JSON.stringify(chain)), 'compat', true);
  assert.ok(parsed.ok);
});

test('as sigstore-go does, compat takes the spellings of the schema and both alphabets of base64', () => {
  const spelt = JSON.stringify(BUNDLE).replace('"mediaType"', '"media_type"').replace('"logIndex"', '"log_index"');
  assert.equal(problem(spelt, 'compat'), 'none');
  assert.match(problem(spelt), /media_type.* that is not known/);
  const both = JSON.stringify({ ...BUNDLE, media_type: SIGSTORE_BUNDLE_V03 });
  assert.match(problem(both, 'compat'), /two spellings/);
  const payload = Buffer.from('~~~???~').toString('base64url');
  const urlSafe = { ...BUNDLE, dsseEnvelope: { ...BUNDLE.dsseEnvelope, payload } };
  assert.equal(problem(urlSafe, 'compat'), 'none');
  assert.match(problem(urlSafe), /payload is not in standard, padded base64/);
  const broken = { ...BUNDLE, dsseEnvelope: { ...BUNDLE.dsseEnvelope, payload: 'AAAA\nAAAA' } };
  assert.match(problem(broken, 'compat'), /payload is not base64/);
});

test('members that are null are as good as absent, and numbers may stand for texts of numbers', () => {
  assert.equal(problem({ ...BUNDLE, messageSignature: null }), 'none');
  assert.equal(problem(withEntry({ logIndex: 7 })), 'none');
});
