import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import test from 'node:test';
import { CANARY, failure } from '../../../support/failure.ts';
import { testKeys } from '../../../support/key-ring.ts';
import { errors, startVault } from '../../../support/key-services/vault-server.ts';
import { makeKey } from '../../../support/pki.ts';
import { makeScratch } from '../../../support/scratch.ts';

const DATA = Buffer.from('what is signed');

test('keys sign by the version that was the latest at the start, or the one that is named', async () => {
  const [first, second, rsa] = [makeKey(), makeKey(), makeKey('rsa2048')];
  const versions = [first];
  await using vault = await startVault({ keys: { release: versions, rsa: [rsa] }, token: CANARY });
  const env = { VAULT_ADDR: vault.url, VAULT_TOKEN: CANARY };
  await using keys = testKeys({ env });
  const opened = await keys.open('hashivault://release');
  versions.push(second);
  assert.ok(verify('sha256', DATA, createPublicKey(first), await opened.sign(DATA)));
  assert.ok((await keys.open('hashivault://release')).publicKey.equals(createPublicKey(second)));
  await using pinned = testKeys({ env, access: { VAULT_KEY_VERSION: '1' } });
  assert.ok((await pinned.open('hashivault://release')).publicKey.equals(createPublicKey(first)));
  const other = await keys.open('hashivault://rsa');
  assert.ok(verify('sha256', DATA, createPublicKey(rsa), await other.sign(DATA)));
});

test('namespace, mount and logins: AppRole, service account of Kubernetes', async () => {
  const keys = { release: [makeKey()] };
  await using scratch = await makeScratch();
  const jwt = await scratch.write('token', 'projected\n');
  const options = {
    keys,
    namespace: 'team',
    mount: 'keys/transit',
    roleId: 'role',
    secretId: CANARY,
    jwts: { signer: 'projected' },
  };
  await using vault = await startVault(options);
  const base = { VAULT_ADDR: vault.url, VAULT_NAMESPACE: 'team', TRANSIT_SECRET_ENGINE_PATH: 'keys/transit' };
  const ways = [
    { VAULT_AUTH_METHOD: 'approle', VAULT_ROLE_ID: 'role', VAULT_SECRET_ID: CANARY },
    { VAULT_AUTH_METHOD: 'kubernetes', VAULT_ROLE: 'signer', VAULT_JWT_FILE: jwt },
  ];
  for (const way of ways) {
    await using ring = testKeys({ env: { ...base, ...way } });
    const opened = await ring.open('hashivault://release');
    await opened.sign(DATA);
  }
  await using ring = testKeys({ env: { ...base, ...ways[0], VAULT_SECRET_ID: `${CANARY}-other` } });
  const error = await failure(ring.open('hashivault://release'));
  assert.equal(error.code, 'key-unauthorized');
  await using roleless = testKeys({ env: { ...base, VAULT_AUTH_METHOD: 'jwt' } });
  assert.equal((await failure(roleless.open('hashivault://release'))).field, 'VAULT_ROLE');
  await using strange = testKeys({ env: { ...base, VAULT_AUTH_METHOD: 'ldap' } });
  assert.match((await failure(strange.open('hashivault://release'))).message, /called ldap/);
});

test('a token that was revoked is replaced by a new login; one that is given is not tried again', async () => {
  const keys = { release: [makeKey()] };
  await using vault = await startVault({ keys, roleId: 'role', secretId: 'secret' });
  const env = { VAULT_ADDR: vault.url, VAULT_AUTH_METHOD: 'approle', VAULT_ROLE_ID: 'role', VAULT_SECRET_ID: 'secret' };
  await using ring = testKeys({ env });
  const opened = await ring.open('hashivault://release');
  await using second = testKeys({ env });
  await second.open('hashivault://release');
  await opened.sign(DATA);
  assert.equal(vault.tokens.length, 3);
  await using given = testKeys({ env: { VAULT_ADDR: vault.url, VAULT_TOKEN: CANARY } });
  const before = vault.requests.length;
  assert.equal((await failure(given.open('hashivault://release'))).code, 'key-unauthorized');
  assert.equal(vault.requests.length, before + 1);
});

test('refusals as Vault words them', async () => {
  await using vault = await startVault({ keys: { release: [makeKey()], large: [makeKey('p521')] }, token: CANARY });
  const env = { VAULT_ADDR: vault.url, VAULT_TOKEN: CANARY };
  await using keys = testKeys({ env });
  const opened = await keys.open('hashivault://release');
  const cases = [
    [errors(403, 'permission denied'), 'key-refused', /does not allow it/],
    [
      errors(500, 'requested version for signing is less than the minimum encryption key version'),
      'key-refused',
      /disabled/,
    ],
    [errors(429, 'rate limit quota exceeded'), 'key-throttled', /asks to slow down/],
    [errors(503, 'Vault is sealed'), 'key-unavailable', /sealed/],
    [errors(400, 'signing key not found'), 'key-refused', /does not have the key/],
    [{ status: 200, body: '{"data":{"signature":"vault:v1:???"}}' }, 'key-protocol', /not a signature/],
  ] as const;
  for (const [answer, code, message] of cases) {
    vault.bend(() => answer);
    const error = await failure(opened.sign(DATA));
    assert.equal(error.code, code);
    assert.match(error.message, message);
  }
  vault.bend();
  assert.match((await failure(keys.open('hashivault://absent'))).message, /does not have the key/);
  assert.match((await failure(keys.open('hashivault://large'))).message, /ECDSA P-521/);
  await using elsewhere = testKeys({ env: { ...env, TRANSIT_SECRET_ENGINE_PATH: 'wrong' } });
  assert.match((await failure(elsewhere.open('hashivault://release'))).message, /no handler for route/);
  await using placeless = testKeys({ env: { VAULT_TOKEN: CANARY } });
  assert.equal((await failure(placeless.open('hashivault://release'))).field, 'VAULT_ADDR');
  await using secret = testKeys({ env: { VAULT_ADDR: `http://${CANARY}:${CANARY}@127.0.0.1:1` } });
  assert.match((await failure(secret.open('hashivault://release'))).message, /VAULT_ADDR is no URL/);
  await using gone = testKeys({ env: { VAULT_ADDR: 'http://127.0.0.1:1', VAULT_TOKEN: CANARY } });
  const error = await failure(gone.open('hashivault://release'));
  assert.deepEqual([error.code, gone.waits], ['network', [200, 400, 800]]);
});
