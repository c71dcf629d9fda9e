import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { CANARY, failure } from '../../support/failure.ts';
import { json, serveHttp } from '../../support/http-server.ts';
import { startGoogle } from '../../support/key-services/google-server.ts';
import { openJwt, startEntra, startGithub } from '../../support/key-services/registry-logins.ts';
import { openNamed, protectedRegistry } from '../../support/protected-registry.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

const START = '2026-03-01T12:00:00Z';

describe('logins that clouds issue, at a registry that asks for a token', () => {
  const clock = { now: Date.parse(START) };
  const now = () => new Date(clock.now);
  let scratch: Scratch;

  before(async () => {
    scratch = await makeScratch();
  });
  after(() => scratch[Symbol.asyncDispose]());
  beforeEach(() => {
    clock.now = Date.parse(START);
  });

  const open = (name: string, at: { readonly host: string }, credentials: object, env: Record<string, string>) =>
    openNamed(now, name, at, credentials, env);

  it('ACR: client secret or federated token, exchanged at the registry for its refresh token', async () => {
    const entraKey = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwt = (claims: object) => {
      const signed = [{ alg: 'RS256', typ: 'JWT' }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      return `${signed}.${sign('sha256', Buffer.from(signed), entraKey.privateKey).toString('base64url')}`;
    };
    const seconds = () => Math.floor(clock.now / 1000);
    const refresh = jwt({ exp: seconds() + 3 * 3600, sub: CANARY });
    await using at = await protectedRegistry('nobody', 'nothing', refresh);
    await using entra = await startEntra({
      tenant: 'tenant-1',
      client: 'client-1',
      secret: `client-${CANARY}`,
      assertion: `federated-${CANARY}`,
      issue: (aud) => jwt({ aud, exp: seconds() + 3599, tid: 'tenant-1' }),
    });
    let exchanges = 0;
    await using front = await serveHttp(async ({ method, path, headers, body }) => {
      if (method === 'POST' && path === '/oauth2/exchange') {
        exchanges++;
        const form = new URLSearchParams(body.toString('utf8'));
        const claims = openJwt(form.get('access_token') ?? '', entraKey.publicKey);
        const right =
          claims?.aud === 'https://containerregistry.azure.net' &&
          form.get('grant_type') === 'access_token' &&
          form.get('service') === 'team.azurecr.io' &&
          form.get('tenant') === 'tenant-1';
        return right ? json(200, { refresh_token: refresh }) : json(401, { errors: [{ message: body.toString() }] });
      }
      const { host: _host, connection: _connection, ...passed } = headers;
      const onward = await fetch(new URL(path, at.registry.url), { method, headers: passed as Record<string, string> });
      const told = Object.fromEntries(onward.headers);
      return { status: onward.status, headers: told, body: Buffer.from(await onward.arrayBuffer()) };
    });
    const base = { AZURE_TENANT_ID: 'tenant-1', AZURE_CLIENT_ID: 'client-1', AZURE_AUTHORITY_HOST: entra.url };
    const file = await scratch.write('federated', `federated-${CANARY}\n`);
    for (const env of [
      { ...base, AZURE_CLIENT_SECRET: `client-${CANARY}` },
      { ...base, AZURE_FEDERATED_TOKEN_FILE: file },
    ]) {
      exchanges = 0;
      await using opened = open('team.azurecr.io', front, { provider: 'acr' }, env);
      await Promise.all([opened.read(), opened.read(), opened.read()]);
      clock.now += 3600_000;
      await opened.read();
      assert.equal(exchanges, 1);
      clock.now -= 3600_000;
    }
    await using wrong = open('team.azurecr.io', front, { provider: 'acr' }, { ...base, AZURE_CLIENT_SECRET: CANARY });
    const error = await failure(wrong.read());
    assert.equal(error.code, 'registry-unauthorized');
    assert.match(error.message, /AADSTS7000215/);
    await using elsewhere = open(
      'other.azurecr.io',
      front,
      { provider: 'acr' },
      { ...base, AZURE_FEDERATED_TOKEN_FILE: file },
    );
    assert.equal((await failure(elsewhere.read())).code, 'registry-unauthorized');
  });

  it('Artifact Registry: service account, workload identity federation, metadata service', async () => {
    const file = await scratch.write('subject-token', 'projected\n');
    await using google = await startGoogle({ versions: {}, subjectToken: 'projected', now });
    const ways = [
      { GOOGLE_APPLICATION_CREDENTIALS: await scratch.write('account.json', google.serviceAccount) },
      { GOOGLE_APPLICATION_CREDENTIALS: await scratch.write('wif.json', google.workloadIdentity(file)) },
      { GOOGLE_APPLICATION_CREDENTIALS: await scratch.write('wif2.json', google.workloadIdentity(file, true)) },
      { GCE_METADATA_HOST: google.host },
    ];
    await using at = await protectedRegistry('oauth2accesstoken', 'google-token-1');
    let given = 0;
    for (const [index, env] of ways.entries()) {
      // With a service account the token is changed once more.
      given += index === 2 ? 2 : 1;
      at.tokens.changePassword(`google-token-${given}`);
      await using opened = open('europe-docker.pkg.dev', at.registry, { provider: 'gar' }, env);
      await Promise.all([opened.read(), opened.read()]);
      assert.equal(google.tokens.length, given);
    }
    const [first] = google.requests;
    const assertion = new URLSearchParams(first?.body.toString('utf8')).get('assertion') ?? '';
    const claims = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString('utf8'));
    assert.equal(claims.scope, 'https://www.googleapis.com/auth/cloud-platform');
    google.bend(() => json(503, {}));
    await using away = open(
      'europe-docker.pkg.dev',
      at.registry,
      { provider: 'gar' },
      { GCE_METADATA_HOST: google.host },
    );
    const error = await failure(away.read());
    assert.deepEqual([error.code, error.class], ['registry-unavailable', 'transient']);
  });

  it('GitHub: a token of an installation, or a personal token', async () => {
    const app = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = app.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    let token = `ghs_one${CANARY}`;
    const settings = { issuer: 'Iv1.abc', installation: 42, publicKey: app.publicKey, token: () => token, now };
    await using github = await startGithub(settings);
    await using at = await protectedRegistry('x-access-token', token);
    const credentials = (installationId: number) => ({
      githubApp: { clientId: 'Iv1.abc', installationId, privateKey: 'env:APP_KEY', api: github.url },
    });
    await using opened = open('ghcr.io', at.registry, credentials(42), { APP_KEY: pem });
    await Promise.all([opened.read(), opened.read()]);
    assert.equal(github.requests.length, 1);
    token = `ghs_two${CANARY}`;
    at.tokens.changePassword(token);
    clock.now += 53 * 60_000;
    await opened.read();
    assert.equal(github.requests.length, 2);
    await using elsewhere = open('ghcr.io', at.registry, credentials(43), { APP_KEY: pem });
    assert.equal((await failure(elsewhere.read())).code, 'registry-unauthorized');
    const strange = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const strangePem = strange.export({ type: 'pkcs8', format: 'pem' }).toString();
    await using forged = open('ghcr.io', at.registry, credentials(42), { APP_KEY: strangePem });
    assert.equal((await failure(forged.read())).code, 'registry-unauthorized');
    await using damaged = open('ghcr.io', at.registry, credentials(42), { APP_KEY: `-----${CANARY}` });
    assert.equal((await failure(damaged.read())).code, 'config-invalid');
    const personal = { username: 'x-access-token', password: 'env:PAT' };
    await using second = open('ghcr.io', at.registry, personal, { PAT: token });
    await second.read();
  });

  it('Harbor: a robot account keeps the dollar in its name', async () => {
    await using at = await protectedRegistry('robot$team+attestry', `robot-${CANARY}`);
    const credentials = { username: 'robot$team+attestry', password: 'env:ROBOT' };
    await using opened = open('harbor.example.com', at.registry, credentials, { ROBOT: `robot-${CANARY}` });
    await opened.read();
    assert.ok(at.tokens.calls.some(({ account }) => account === 'robot$team+attestry'));
  });
});
