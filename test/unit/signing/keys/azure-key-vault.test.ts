import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import test from 'node:test';
import { CANARY, failure } from '../../../support/failure.ts';
import { edited } from '../../../support/http-server.ts';
import { testKeys } from '../../../support/key-ring.ts';
import { problem, startAzure, VERSION } from '../../../support/key-services/azure-server.ts';
import { makeKey } from '../../../support/pki.ts';
import { makeScratch } from '../../../support/scratch.ts';

const DATA = Buffer.from('what is signed');

async function ground() {
  const made = { release: makeKey(), rsa: makeKey('rsa2048'), large: makeKey('p384') };
  const vault = await startAzure({
    keys: made,
    tenant: 'tenant',
    client: 'client',
    secret: CANARY,
    assertion: 'projected',
  });
  const scratch = await makeScratch();
  const ca = await scratch.write('ca.pem', vault.ca);
  const base = {
    SSL_CERT_FILE: ca,
    AZURE_AUTHORITY_HOST: vault.url,
    AZURE_TENANT_ID: 'tenant',
    AZURE_CLIENT_ID: 'client',
  };
  return {
    made,
    vault,
    scratch,
    base,
    env: { ...base, AZURE_CLIENT_SECRET: CANARY },
    async [Symbol.asyncDispose]() {
      await vault[Symbol.asyncDispose]();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

test('EC and RSA keys sign, pinned to the version that was there; raw signatures become DER', async () => {
  await using at = await ground();
  await using keys = testKeys({ env: at.env });
  for (const name of ['release', 'rsa'] as const) {
    for (const reference of [`azurekms://${at.vault.host}/${name}`, `azurekms://${at.vault.host}/${name}/${VERSION}`]) {
      const opened = await keys.open(reference);
      assert.ok(opened.publicKey.equals(createPublicKey(at.made[name])));
      assert.ok(verify('sha256', DATA, opened.publicKey, await opened.sign(DATA)));
      assert.equal(at.vault.requests.at(-1)?.path, `/keys/${name}/${VERSION}/sign?api-version=7.4`);
    }
  }
});

test('identities: client secret, workload identity, managed identity of the machine', async () => {
  await using at = await ground();
  const file = await at.scratch.write('token', 'projected\n');
  const { AZURE_TENANT_ID: _tenant, ...machine } = at.base;
  const ways = [
    at.env,
    { ...at.base, AZURE_FEDERATED_TOKEN_FILE: file },
    { ...machine, AZURE_POD_IDENTITY_AUTHORITY_HOST: at.vault.url },
  ];
  for (const env of ways) {
    await using keys = testKeys({ env });
    await (await keys.open(`azurekms://${at.vault.host}/release`)).sign(DATA);
  }
  await using wrong = testKeys({ env: { ...at.base, AZURE_CLIENT_SECRET: `${CANARY}-other` } });
  const error = await failure(wrong.open(`azurekms://${at.vault.host}/release`));
  assert.equal(error.code, 'key-unauthorized');
  assert.match(error.message, /Azure login .*invalid_client AADSTS7000215/);
});

test('a token that was withdrawn is asked for anew, once', async () => {
  await using at = await ground();
  await using keys = testKeys({ env: at.env });
  const opened = await keys.open(`azurekms://${at.vault.host}/release`);
  await using others = testKeys({ env: at.env });
  await others.open(`azurekms://${at.vault.host}/release`);
  await opened.sign(DATA);
  assert.equal(at.vault.tokens.length, 3);
});

test('refusals: throttled, forbidden, disabled, expired, missing, without the right operation, another kind', async () => {
  await using at = await ground();
  await using keys = testKeys({ env: at.env });
  const reference = `azurekms://${at.vault.host}/release`;
  const opened = await keys.open(reference);
  at.vault.bend(() => ({ ...problem(429, 'Throttled'), headers: { 'retry-after': '30' } }));
  const throttled = await failure(opened.sign(DATA));
  assert.deepEqual([throttled.code, throttled.retryAfterMs], ['key-throttled', 30_000]);
  const bent = [
    [problem(403, 'Forbidden'), 'key-refused', /does not allow it/],
    [
      problem(403, 'Forbidden', 'Operation sign is not allowed on a disabled key.'),
      'key-refused',
      /has the key disabled/,
    ],
    [problem(404, 'KeyNotFound'), 'key-refused', /does not have the key/],
    [problem(503, 'ServiceUnavailable'), 'key-unavailable', /cannot serve now/],
    [{ status: 200, body: '{"value":"AA"}' }, 'key-protocol', /not a signature/],
  ] as const;
  for (const [answer, code, message] of bent) {
    at.vault.bend(() => answer);
    const error = await failure(opened.sign(DATA));
    assert.equal(error.code, code);
    assert.match(error.message, message);
  }
  const states = [
    [(value: object) => ({ ...value, attributes: { enabled: false } }), /has the key disabled/],
    [(value: object) => ({ ...value, attributes: { exp: 1 } }), /expiry date is past/],
    [
      (value: { key: object }) => ({ key: { ...value.key, key_ops: ['encrypt'] } }),
      /not among the permitted operations/,
    ],
  ] as const;
  for (const [edit, message] of states) {
    at.vault.bend((honest, { path }) => (path.startsWith('/keys/') ? edited(honest, edit as never) : honest));
    assert.match((await failure(keys.open(reference))).message, message);
  }
  at.vault.bend();
  assert.match((await failure(keys.open(`azurekms://${at.vault.host}/large`))).message, /ECDSA P-384/);
  assert.equal((await failure(keys.open(`azurekms://${at.vault.host}/absent`))).code, 'key-refused');
});

test('a vault whose certificate nobody vouches for is not spoken to', async () => {
  await using at = await ground();
  const { SSL_CERT_FILE: _ca, ...env } = at.env;
  await using keys = testKeys({ env });
  const error = await failure(keys.open(`azurekms://${at.vault.host}/release`));
  assert.equal(error.code, 'network');
  assert.equal(at.vault.requests.length, 0);
});
