import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { createOidcCheck } from '#producer/intake/authenticate-oidc.ts';
import type { OidcCredential } from '#producer/intake/credential.ts';

const [first, second] = [newKey(), newKey()];
const NOW = Date.parse('2026-03-02T10:15:31Z');
const seconds = NOW / 1000;

const credential: OidcCredential = {
  kind: 'oidc',
  issuers: ['https://accounts.google.com', 'accounts.google.com'],
  audience: 'https://hooks.example.com/gar',
  emails: ['push@example.iam.gserviceaccount.com'],
  jwks: new URL('https://keys.example/certs'),
};
const GOOD = {
  iss: 'https://accounts.google.com',
  aud: 'https://hooks.example.com/gar',
  email: 'push@example.iam.gserviceaccount.com',
  email_verified: true,
  iat: seconds,
  exp: seconds + 3600,
};

function newKey() {
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

function jwk(key: ReturnType<typeof newKey>, kid: string): object {
  return { ...key.publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
}

function token(claims: object, { header = {}, key = first }: { header?: object; key?: typeof first } = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256', kid: 'one', typ: 'JWT', ...header })}.${part(claims)}`;
  return `Bearer ${text}.${sign('RSA-SHA256', Buffer.from(text), key.privateKey).toString('base64url')}`;
}

function setUp(keys: () => readonly object[] = () => [jwk(first, 'one')]) {
  let fetches = 0;
  const check = createOidcCheck({
    async get() {
      fetches++;
      return Buffer.from(JSON.stringify({ keys: keys() }));
    },
  });
  const holds = (authorization: string | undefined, now = NOW) =>
    check.isOurs(credential, authorization, new Date(now));
  return { holds, fetches: () => fetches };
}

describe('tokens of Pub/Sub', () => {
  test("a token for us of our account holds, and the issuer's keys are fetched once", async () => {
    const { holds, fetches } = setUp();
    assert.equal(await holds(token(GOOD)), true);
    assert.equal(await holds(token({ ...GOOD, iss: 'accounts.google.com', aud: [GOOD.aud, 'other'] })), true);
    assert.equal(fetches(), 1);
  });

  test('any other claim does not, and makes nothing fetched', async () => {
    const { holds, fetches } = setUp();
    const changes: object[] = [
      { iss: 'https://accounts.google.com.attacker.example' },
      { aud: 'https://hooks.example.com/other' },
      { aud: [] },
      { email: 'push@other.iam.gserviceaccount.com' },
      { email: undefined },
      { email_verified: false },
      { email_verified: 'true' },
      { email_verified: undefined },
      { exp: undefined },
      { exp: seconds - 61 },
      { iat: seconds + 61 },
      { nbf: seconds + 61 },
    ];
    for (const change of changes) {
      assert.equal(await holds(token({ ...GOOD, ...change })), false, JSON.stringify(change));
    }
    assert.equal(fetches(), 0);
  });

  test('clocks may differ by a minute', async () => {
    const { holds } = setUp();
    assert.equal(await holds(token({ ...GOOD, exp: seconds - 59 })), true);
    assert.equal(await holds(token({ ...GOOD, iat: seconds + 59 })), true);
  });

  test('the signature is RS256 by a key of the issuer', async () => {
    const { holds } = setUp();
    assert.equal(await holds(token(GOOD, { key: second })), false);
    for (const header of [{ alg: 'none' }, { alg: 'HS256' }, { alg: undefined }, { kid: undefined }]) {
      assert.equal(await holds(token(GOOD, { header })), false, JSON.stringify(header));
    }
    const [head, , signature] = token(GOOD).split('.');
    const other = Buffer.from(JSON.stringify({ ...GOOD, sub: 'other' })).toString('base64url');
    assert.equal(await holds(`${head}.${other}.${signature}`), false);
    for (const text of [undefined, '', 'Bearer', 'Bearer a.b', 'Bearer a.b.c', 'Basic a.b.c', `${token(GOOD)} x`]) {
      assert.equal(await holds(text), false, text);
    }
  });

  test('a new key is found, and an unknown one is looked for no more than once a minute', async () => {
    const keys = [jwk(first, 'one')];
    const { holds, fetches } = setUp(() => keys);
    assert.equal(await holds(token(GOOD)), true);
    keys.push(jwk(second, 'two'));
    const rotated = token(GOOD, { header: { kid: 'two' }, key: second });
    assert.equal(await holds(rotated, NOW + 30_000), false);
    assert.equal(await holds(rotated, NOW + 61_000), true);
    assert.equal(fetches(), 2);
  });

  test('keys that cannot be had are no refusal but a failure', async () => {
    const away = createOidcCheck({ get: () => Promise.reject(new AppError('network', 'away')) });
    await assert.rejects(away.isOurs(credential, token(GOOD), new Date(NOW)), { code: 'network' });
    const broken = createOidcCheck({ get: async () => Buffer.from('{}') });
    await assert.rejects(broken.isOurs(credential, token(GOOD), new Date(NOW)), { code: 'network' });
  });
});
