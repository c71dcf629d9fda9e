import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { promisify } from 'node:util';
import { createTokenClient } from '#signing/keys/token-client.ts';
import { CANARY, failure } from '../../support/failure.ts';
import { testKeys } from '../../support/key-ring.ts';
import { makeKey } from '../../support/pki.ts';
import { makeToken } from '../../support/token.ts';

const DATA = Buffer.from('what is signed');

function pem(key: ReturnType<typeof makeKey>): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

test('keys of a token sign as their public halves verify: ECDSA P-256 and P-384, RSA', async () => {
  await using token = await makeToken();
  const kinds = { p256: '01', p384: '02', rsa2048: '03', rsa3072: '04' } as const;
  const made = Object.entries(kinds).map(([kind, id]) => ({ kind, id, key: makeKey(kind as keyof typeof kinds) }));
  for (const { kind, id, key } of made) await token.importKey(pem(key), kind, id);
  await using keys = testKeys({ env: { COSIGN_PKCS11_PIN: token.pin } });
  for (const { kind, id, key } of made) {
    const references = [`object=${kind}`, `id=%${id}`, `object=${kind};id=%${id};type=private`];
    for (const reference of references) {
      const opened = await keys.open(`pkcs11:token=${token.label};${reference}?module-path=${token.modulePath}`);
      assert.ok(opened.publicKey.equals(createPublicKey(key)), kind);
      assert.ok(verify('sha256', DATA, opened.publicKey, await opened.sign(DATA)), kind);
    }
  }
});

test('the PIN comes from a secret reference, a pin-source or the environment', async () => {
  await using token = await makeToken();
  await token.importKey(pem(makeKey()), 'release', '01');
  const file = await token.scratch.write('pin', `${token.pin}\n`);
  const reference = `pkcs11:token=${token.label};object=release`;
  const module = { COSIGN_PKCS11_MODULE_PATH: token.modulePath };
  await using keys = testKeys({ env: { ...module, PIN: token.pin } });
  await (await keys.open(reference, 'env:PIN')).sign(DATA);
  await (await keys.open(reference, `file:${file}`)).sign(DATA);
  await (await keys.open(`${reference}?pin-source=file:${file}`)).sign(DATA);
  await (await keys.open(`${reference}?pin-source=${file}`)).sign(DATA);
  await using own = testKeys({ env: module, access: { COSIGN_PKCS11_PIN: `file:${file}` } });
  await (await own.open(reference)).sign(DATA);
});

test('a wrong PIN is tried once: the token does not lock itself', async () => {
  await using token = await makeToken();
  await token.importKey(pem(makeKey()), 'release', '01');
  const reference = `pkcs11:token=${token.label};object=release?module-path=${token.modulePath}`;
  const env = { PIN: CANARY };
  await using keys = testKeys({ env });
  const first = await failure(keys.open(reference, 'env:PIN'));
  assert.equal(first.code, 'key-unauthorized');
  assert.match(first.message, /the PIN is wrong \(CKR_PIN_INCORRECT\)/);
  const second = await failure(keys.open(reference, 'env:PIN'));
  assert.match(second.message, /refused before, and is not tried again/);
  env.PIN = token.pin;
  await (await keys.open(reference, 'env:PIN')).sign(DATA);
});

test('what does not fit is named: no PIN, no token, several, no key, no module, a key of another kind', async () => {
  await using token = await makeToken();
  await token.addToken('second');
  await token.importKey(pem(makeKey()), 'release', '01');
  await token.importKey(pem(makeKey()), 'twice', '02');
  await token.importKey(pem(makeKey()), 'twice', '03');
  await token.importKey(pem(makeKey('rsa1024')), 'small', '04');
  await token.importKey(pem(makeKey('p521')), 'large', '05');
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [`token=${token.label};object=other`, 'key-refused', /no private key like that \(other\)/],
    [`token=${token.label};object=twice`, 'key-refused', /several private keys match/],
    [`token=${token.label};id=%99`, 'key-refused', /no private key like that \(id 99\)/],
    ['token=absent;object=release', 'key-refused', /no token matches; there are \(.*second/],
    ['slot-id=4242;object=release', 'key-refused', /no token matches/],
    [`token=${token.label};object=small`, 'key-refused', /RSA 1024: verifiers take RSA from 2048 bits/],
    [`token=${token.label};object=large`, 'key-refused', /ECDSA P-521: verifiers read P-256/],
  ];
  await using keys = testKeys({ env: { COSIGN_PKCS11_PIN: token.pin } });
  for (const [path, code, message] of cases) {
    const error = await failure(keys.open(`pkcs11:${path}?module-path=${token.modulePath}`));
    assert.equal(error.code, code, path);
    assert.match(error.message, message);
    assert.ok(error.mend);
  }
  const nameless = await failure(keys.open(`pkcs11:token=${token.label};object=release`));
  assert.equal(nameless.code, 'config-invalid');
  assert.match(nameless.message, /no module is named/);
  const absent = await failure(keys.open(`pkcs11:token=${token.label};object=release?module-path=/nowhere/module.so`));
  assert.equal(absent.code, 'config-invalid');
  assert.match(absent.message, /cannot be loaded \(\/nowhere\/module\.so\)/);
  await using pinless = testKeys({});
  const closed = await failure(
    pinless.open(`pkcs11:token=${token.label};object=release?module-path=${token.modulePath}`),
  );
  assert.equal(closed.code, 'key-unauthorized');
  assert.match(closed.message, /wants a PIN/);
});

test('when the process of the module dies, the next signature opens the token again', async () => {
  await using token = await makeToken();
  await token.importKey(pem(makeKey()), 'release', '01');
  await using keys = testKeys({ env: { COSIGN_PKCS11_PIN: token.pin } });
  const key = await keys.open(`pkcs11:token=${token.label};object=release?module-path=${token.modulePath}`);
  const [child] = await childProcesses();
  assert.ok(child);
  process.kill(child, 'SIGKILL');
  assert.ok(verify('sha256', DATA, key.publicKey, await key.sign(DATA)));
  const signatures = await Promise.all(Array.from({ length: 20 }, () => key.sign(DATA)));
  for (const signature of signatures) assert.ok(verify('sha256', DATA, key.publicKey, signature));
  assert.equal((await childProcesses()).length, 1);
});

test('a module that hangs is given up, and its process ended', async () => {
  await using token = await makeToken();
  // Loading a named pipe waits for somebody to write to it.
  const pipe = token.scratch.at('hangs.so');
  await promisify(execFile)('mkfifo', [pipe]);
  await using client = createTokenClient(pipe, 300);
  const error = await failure(client.open({ token: 'any', object: 'any' }, undefined));
  assert.equal(error.code, 'timeout');
  await client[Symbol.asyncDispose]();
  assert.deepEqual(await childProcesses(), []);
});

async function childProcesses(): Promise<number[]> {
  const text = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  return text.trim().split(' ').filter(Boolean).map(Number);
}
