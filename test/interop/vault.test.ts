import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { verify } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { toolPath } from '../../scripts/setup/go-tools.mjs';
import { failure } from '../support/failure.ts';
import { testKeys } from '../support/key-ring.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const DATA = Buffer.from('what is signed');

let server: ChildProcess;
let address: string;
let rootToken: string;

before(async () => {
  server = spawn(toolPath(ROOT, 'vault'), [], { stdio: ['ignore', 'pipe', 'ignore'] });
  assert.ok(server.stdout);
  const [line] = await once(createInterface(server.stdout), 'line');
  const [host = '', token = ''] = String(line).split(' ');
  [address, rootToken] = [`http://${host}`, token];
  await ask('POST', 'sys/mounts/transit', { type: 'transit' });
});

after(async () => {
  server.kill('SIGKILL');
  await once(server, 'exit');
});

async function ask(method: string, path: string, body?: object): Promise<{ readonly data: Record<string, string> }> {
  const answer = await fetch(`${address}/v1/${path}`, {
    method,
    headers: { 'x-vault-token': rootToken, connection: 'close' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  const text = await answer.text();
  return JSON.parse(text === '' ? '{}' : text);
}

async function makeTransitKey(type: string, name = type): Promise<string> {
  await ask('POST', `transit/keys/${name}`, { type });
  return `hashivault://${name}`;
}

describe('the transit engine of a real Vault', () => {
  it('signs with every kind of key that verifiers read, and others are refused before it is asked to', async () => {
    await using keys = testKeys({ env: { VAULT_ADDR: address, VAULT_TOKEN: rootToken } });
    for (const type of ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096']) {
      const key = await keys.open(await makeTransitKey(type));
      assert.ok(verify('sha256', DATA, key.publicKey, await key.sign(DATA)), type);
    }
    for (const type of ['ecdsa-p521', 'ed25519', 'aes256-gcm96']) {
      assert.equal((await failure(keys.open(await makeTransitKey(type)))).code, 'key-refused', type);
    }
    assert.match((await failure(keys.open('hashivault://absent'))).message, /does not have the key/);
  });

  it('is let into by AppRole with the two rights that are needed, and no more', async () => {
    const key = await makeTransitKey('rsa-2048', 'release');
    const policy = ['keys/release" { capabilities = ["read"] }', 'sign/release/*" { capabilities = ["update"] }'];
    await ask('PUT', 'sys/policies/acl/signer', { policy: policy.map((rule) => `path "transit/${rule}`).join('\n') });
    await ask('POST', 'sys/auth/approle', { type: 'approle' });
    await ask('POST', 'auth/approle/role/signer', { token_policies: 'signer', token_ttl: '60s' });
    const { role_id = '' } = (await ask('GET', 'auth/approle/role/signer/role-id')).data;
    const { secret_id = '' } = (await ask('POST', 'auth/approle/role/signer/secret-id')).data;
    const env = { VAULT_ADDR: address, VAULT_AUTH_METHOD: 'approle', VAULT_ROLE_ID: role_id };
    await using keys = testKeys({ env: { ...env, VAULT_SECRET_ID: secret_id } });
    const opened = await keys.open(key);
    assert.ok(verify('sha256', DATA, opened.publicKey, await opened.sign(DATA)));
    const other = await failure(keys.open(await makeTransitKey('ecdsa-p256', 'other')));
    assert.deepEqual([other.code, other.message.includes('does not allow it')], ['key-refused', true]);
    await using wrong = testKeys({ env: { ...env, VAULT_SECRET_ID: 'no-such-secret' } });
    assert.equal((await failure(wrong.open(key))).code, 'key-unauthorized');
    await using stranger = testKeys({ env: { VAULT_ADDR: address, VAULT_TOKEN: 'hvs.nobody' } });
    assert.equal((await failure(stranger.open(key))).code, 'key-unauthorized');
  });

  it('goes on with the version of the start when the key is rotated, until that version is retired', async () => {
    const reference = await makeTransitKey('ecdsa-p256', 'rotated');
    await using keys = testKeys({ env: { VAULT_ADDR: address, VAULT_TOKEN: rootToken } });
    const key = await keys.open(reference);
    await ask('POST', 'transit/keys/rotated/rotate');
    assert.ok(verify('sha256', DATA, key.publicKey, await key.sign(DATA)));
    const newest = await keys.open(reference);
    assert.equal(newest.publicKey.equals(key.publicKey), false);
    await ask('POST', 'transit/keys/rotated/config', { min_encryption_version: 2 });
    const retired = await failure(key.sign(DATA));
    assert.deepEqual([retired.code, retired.class], ['key-refused', 'permanent']);
    assert.ok(verify('sha256', DATA, newest.publicKey, await newest.sign(DATA)));
  });

  it('that is sealed is asked again later', async () => {
    await using keys = testKeys({ env: { VAULT_ADDR: address, VAULT_TOKEN: rootToken } });
    const key = await keys.open(await makeTransitKey('ecdsa-p256', 'sealed'));
    await ask('PUT', 'sys/seal');
    const error = await failure(key.sign(DATA));
    assert.deepEqual([error.code, error.class], ['key-unavailable', 'transient']);
    assert.deepEqual(keys.waits, [200, 400, 800]);
  });
});
