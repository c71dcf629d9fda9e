import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import test from 'node:test';
import { crc32c } from '#signing/keys/crc32c.ts';
import { CANARY, failure } from '../../../support/failure.ts';
import { edited } from '../../../support/http-server.ts';
import { testKeys } from '../../../support/key-ring.ts';
import { crc32 } from '../../../support/key-services/crc32c.ts';
import { problem, startGoogle } from '../../../support/key-services/google-server.ts';
import { makeKey } from '../../../support/pki.ts';
import { makeScratch } from '../../../support/scratch.ts';

const NOW = () => new Date('2026-11-23T12:00:00Z');
const DATA = Buffer.from('what is signed');
const KEY = 'projects/p/locations/global/keyRings/r/cryptoKeys/release';
const ELSE = 'projects/p/locations/global/keyRings/r/cryptoKeys/else';

async function ground() {
  const [old, newest, rsa] = [makeKey(), makeKey(), makeKey('rsa2048')];
  const google = await startGoogle({
    now: NOW,
    subjectToken: 'projected',
    versions: {
      [`${KEY}/cryptoKeyVersions/2`]: { key: old, algorithm: 'EC_SIGN_P256_SHA256' },
      [`${KEY}/cryptoKeyVersions/10`]: { key: newest, algorithm: 'EC_SIGN_P256_SHA256' },
      [`${KEY}/cryptoKeyVersions/11`]: { key: newest, algorithm: 'EC_SIGN_P256_SHA256', state: 'DISABLED' },
      [`${ELSE}/cryptoKeyVersions/1`]: { key: rsa, algorithm: 'RSA_SIGN_PKCS1_2048_SHA256' },
      [`${ELSE}/cryptoKeyVersions/2`]: { key: rsa, algorithm: 'RSA_SIGN_PSS_2048_SHA256' },
    },
  });
  const scratch = await makeScratch();
  const credentials = await scratch.write('account.json', google.serviceAccount);
  const base = { CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS: `${google.url}/` };
  return {
    google,
    scratch,
    old,
    newest,
    rsa,
    base,
    env: { ...base, GOOGLE_APPLICATION_CREDENTIALS: credentials },
    async [Symbol.asyncDispose]() {
      await google[Symbol.asyncDispose]();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

test('the named version signs, or the newest that is enabled', async () => {
  await using at = await ground();
  await using keys = testKeys({ env: at.env, now: NOW });
  const cases = [
    [`gcpkms://${KEY}/cryptoKeyVersions/2`, at.old],
    [`gcpkms://${KEY}/versions/2`, at.old],
    [`gcpkms://${KEY}`, at.newest],
    [`gcpkms://${ELSE}/cryptoKeyVersions/1`, at.rsa],
  ] as const;
  for (const [reference, key] of cases) {
    const opened = await keys.open(reference);
    assert.ok(opened.publicKey.equals(createPublicKey(key)), reference);
    assert.ok(verify('sha256', DATA, opened.publicKey, await opened.sign(DATA)));
  }
});

test('identities: service account, workload identity with and without a service account, metadata service', async () => {
  await using at = await ground();
  const token = await at.scratch.write('token', 'projected\n');
  const file = (name: string, text: string) => at.scratch.write(name, text);
  const ways = [
    at.env,
    { ...at.base, GOOGLE_APPLICATION_CREDENTIALS: await file('w.json', at.google.workloadIdentity(token)) },
    { ...at.base, GOOGLE_APPLICATION_CREDENTIALS: await file('i.json', at.google.workloadIdentity(token, true)) },
    { ...at.base, GCE_METADATA_HOST: at.google.host },
  ];
  for (const env of ways) {
    await using keys = testKeys({ env, now: NOW });
    await (await keys.open(`gcpkms://${KEY}`)).sign(DATA);
  }
});

test('credentials that are none are named, never quoted', async () => {
  await using at = await ground();
  const texts = [
    CANARY,
    JSON.stringify({ type: 'gdch_service_account', private_key: CANARY }),
    at.google.serviceAccount.replace(/"private_key":"[^"]*"/, `"private_key":"${CANARY}"`),
  ];
  for (const text of texts) {
    const credentials = await at.scratch.write('bad.json', text);
    await using keys = testKeys({ env: { ...at.base, GOOGLE_APPLICATION_CREDENTIALS: credentials }, now: NOW });
    const error = await failure(keys.open(`gcpkms://${KEY}`));
    assert.deepEqual([error.code, error.field], ['config-invalid', 'GOOGLE_APPLICATION_CREDENTIALS']);
  }
  await using late = testKeys({ env: at.env, now: () => new Date('2020-01-01T00:00:00Z') });
  const error = await failure(late.open(`gcpkms://${KEY}`));
  assert.equal(error.code, 'key-unauthorized');
  assert.match(error.message, /Google login .*invalid_grant/);
});

test('bytes that were changed on their way are found by CRC32C, asked for again, and never passed on', async () => {
  await using at = await ground();
  await using keys = testKeys({ env: at.env, now: NOW });
  const opened = await keys.open(`gcpkms://${KEY}`);
  let left = 1;
  at.google.bend((honest, { path }) => {
    if (!path.endsWith(':asymmetricSign') || left-- <= 0) return honest;
    return edited(honest, (value: object) => ({ ...value, signature: Buffer.from('changed').toString('base64') }));
  });
  assert.ok(verify('sha256', DATA, opened.publicKey, await opened.sign(DATA)));
  assert.deepEqual(keys.waits, [200]);
  at.google.bend((honest) => edited(honest, (value: object) => ({ ...value, verifiedDigestCrc32c: false })));
  const error = await failure(opened.sign(DATA));
  assert.deepEqual([error.code, error.class], ['key-unavailable', 'transient']);
  assert.match(error.message, /changed on their way/);
});

test('refusals by Google’s own status', async () => {
  await using at = await ground();
  await using keys = testKeys({ env: at.env, now: NOW });
  const opened = await keys.open(`gcpkms://${KEY}`);
  const cases = [
    [429, 'RESOURCE_EXHAUSTED', 'key-throttled'],
    [403, 'PERMISSION_DENIED', 'key-refused'],
    [404, 'NOT_FOUND', 'key-refused'],
    [400, 'FAILED_PRECONDITION', 'key-refused'],
    [503, 'UNAVAILABLE', 'key-unavailable'],
  ] as const;
  for (const [code, status, wanted] of cases) {
    at.google.bend(() => problem(code, status));
    const error = await failure(opened.sign(DATA));
    assert.equal(error.code, wanted, status);
    assert.match(error.message, new RegExp(`gcpkms \\(r/cryptoKeys/release\\).*${status}`));
  }
  at.google.bend();
  const disabled = await failure(keys.open(`gcpkms://${KEY}/cryptoKeyVersions/11`));
  assert.match(disabled.message, /has the key disabled.*current state is: DISABLED/);
  const kind = await failure(keys.open(`gcpkms://${ELSE}/cryptoKeyVersions/2`));
  assert.match(kind.message, /RSA_SIGN_PSS_2048_SHA256/);
});

test('CRC-32C is that of RFC 3720', () => {
  const vectors = [
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, at) => at)), 0x46dd794e],
  ] as const;
  for (const [bytes, wanted] of vectors) {
    assert.equal(crc32c(bytes), String(wanted));
    assert.equal(crc32(bytes), String(wanted));
  }
});
