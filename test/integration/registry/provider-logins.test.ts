import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createKeySettings } from '#compose/key-settings.ts';
import { RegistryOptions } from '#oci/options.ts';
import { createRegistries } from '#oci/registries.ts';
import { CANARY, failure } from '../../support/failure.ts';
import { json, serveHttp } from '../../support/http-server.ts';
import { startGoogle } from '../../support/key-services/google-server.ts';
import {
  openJwt,
  refusedByAws,
  startEcr,
  startEntra,
  startGithub,
  startSts,
} from '../../support/key-services/registry-logins.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { login } from '../../support/registry-credentials.ts';
import { connect, secret } from '../../support/registry-target.ts';
import { roundTrip } from '../../support/round-trip.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { startTokenServer } from '../../support/token-server.ts';

const REGION = 'eu-west-1';
const ECR_NAME = `123456789012.dkr.ecr.${REGION}.amazonaws.com`;
const KEYS = { AKIDEXAMPLE: { secret: `secret-${CANARY}` } };
const STATIC = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: `secret-${CANARY}` };
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

  /** A real registry behind a token server that knows this user; it holds team/app:v1. */
  async function protectedRegistry(username: string, password: string, identityToken?: string) {
    const tokens = await startTokenServer({
      username,
      password,
      expiresIn: 60,
      ...(identityToken === undefined ? {} : { identityToken }),
    });
    const { url, service, issuer, certificate } = tokens;
    const registry = await startRegistry({ token: { realm: url.href, service, issuer, certificate } });
    await using target = connect(registry.url, { credentials: login({ username, password }) });
    await roundTrip(target, 'team/app');
    return {
      registry,
      tokens,
      [Symbol.asyncDispose]: async () => {
        await registry.stop();
        await tokens.stop();
      },
    };
  }

  function open(name: string, at: Pick<TestRegistry, 'host'>, credentials: object, env: Record<string, string>) {
    const options = RegistryOptions.parse({ name, address: at.host, credentials });
    const secrets = (reference: string) => secret(env[reference.replace(/^env:/, '')] ?? assert.fail(reference));
    const registries = createRegistries([options], {
      userAgent: 'attestry-test',
      now,
      secrets,
      unlisted: 'refuse',
      cloudSettings: (access) => createKeySettings(access, env, secrets),
      random: () => 0.5,
    });
    return {
      read: () => registries.target(name).manifest('team/app', 'v1'),
      [Symbol.asyncDispose]: () => registries.close(),
    };
  }

  it('ECR: one login for many at once, a new one before the end of the twelve hours', async () => {
    await using at = await protectedRegistry('AWS', `one-${CANARY}`);
    let password = `one-${CANARY}`;
    await using ecr = await startEcr({ region: REGION, credentials: KEYS, now }, () => password);
    await using opened = open(ECR_NAME, at.registry, { provider: 'ecr' }, { ...STATIC, AWS_ENDPOINT_URL_ECR: ecr.url });
    await Promise.all(Array.from({ length: 8 }, opened.read));
    assert.equal(ecr.requests.length, 1);
    clock.now += 11 * 3_600_000;
    await opened.read();
    assert.equal(ecr.requests.length, 1);
    password = `two-${CANARY}`;
    at.tokens.changePassword(password);
    // Seven minutes before the end: five, and half as much again by the spread.
    clock.now += 53 * 60_000;
    await opened.read();
    assert.equal(ecr.requests.length, 2);
  });

  it('ECR: a password that was withdrawn early is replaced once, and the registry works on', async () => {
    await using at = await protectedRegistry('AWS', 'first');
    let password = 'first';
    await using ecr = await startEcr({ region: REGION, credentials: KEYS, now }, () => password);
    await using opened = open(ECR_NAME, at.registry, { provider: 'ecr' }, { ...STATIC, AWS_ENDPOINT_URL_ECR: ecr.url });
    await opened.read();
    password = 'second';
    at.tokens.changePassword('second');
    clock.now += 120_000;
    await opened.read();
    assert.equal(ecr.requests.length, 2);
  });

  it('ECR by a web identity, and ECR Public in its one region', async () => {
    await using at = await protectedRegistry('AWS', 'pass');
    const role = 'arn:aws:iam::123456789012:role/attestry';
    const session = { id: 'ASIASESSION', secret: `session-${CANARY}`, token: `token-${CANARY}` };
    const file = await scratch.write('identity-token', `${CANARY}-projected\n`);
    await using sts = await startSts({ role, token: `${CANARY}-projected` }, session, now);
    const credentials = { [session.id]: { secret: session.secret, token: session.token } };
    const env = { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ENDPOINT_URL_STS: sts.url };
    await using ecr = await startEcr({ region: REGION, credentials, now }, () => 'pass');
    await using opened = open(ECR_NAME, at.registry, { provider: 'ecr' }, { ...env, AWS_ENDPOINT_URL_ECR: ecr.url });
    await opened.read();
    assert.deepEqual([sts.requests.length, ecr.requests.length], [1, 1]);
    await using open2 = await startEcr({ region: 'us-east-1', credentials: KEYS, now }, () => 'pass', true);
    const publicEnv = { ...STATIC, AWS_ENDPOINT_URL_ECR_PUBLIC: open2.url };
    await using second = open('public.ecr.aws', at.registry, { provider: 'ecr-public' }, publicEnv);
    await second.read();
    assert.equal(open2.requests.length, 1);
    // The role is not taken on with another token; its text is in no error.
    await scratch.write('identity-token', `${CANARY}-other`);
    await using third = open(ECR_NAME, at.registry, { provider: 'ecr' }, { ...env, AWS_ENDPOINT_URL_ECR: ecr.url });
    assert.equal((await failure(third.read())).code, 'registry-unauthorized');
  });

  it('ECR: refusals are told by what can be done, stumbles are tried again', async () => {
    await using at = await protectedRegistry('AWS', 'pass');
    await using ecr = await startEcr({ region: REGION, credentials: KEYS, now }, () => 'pass');
    const env = { ...STATIC, AWS_ENDPOINT_URL_ECR: ecr.url };
    await using opened = open(ECR_NAME, at.registry, { provider: 'ecr' }, env);
    let left = 1;
    ecr.bend((honest) => (left-- > 0 ? refusedByAws('ServerException', 500) : honest));
    await opened.read();
    const cases = [
      ['AccessDeniedException', 'registry-unauthorized', 'permanent'],
      ['UnrecognizedClientException', 'registry-unauthorized', 'permanent'],
      ['ExpiredTokenException', 'credentials-unavailable', 'transient'],
    ] as const;
    for (const [name, code, kind] of cases) {
      ecr.bend(() => refusedByAws(name));
      await using refused = open(ECR_NAME, at.registry, { provider: 'ecr' }, env);
      const error = await failure(refused.read());
      assert.deepEqual([error.code, error.class], [code, kind]);
      assert.match(error.message, new RegExp(`no credentials for ${ECR_NAME}: .*${name}`));
      assert.ok(error.mend);
    }
    ecr.bend(() => ({ ...refusedByAws('ThrottlingException', 429), headers: { 'retry-after': '60' } }));
    await using busy = open(ECR_NAME, at.registry, { provider: 'ecr' }, env);
    const throttled = await failure(busy.read());
    assert.deepEqual([throttled.code, throttled.retryAfterMs], ['registry-throttled', 60_000]);
    ecr.bend(() => json(200, { authorizationData: [] }));
    await using strange = open(ECR_NAME, at.registry, { provider: 'ecr' }, env);
    assert.equal((await failure(strange.read())).code, 'registry-protocol');
    const ahead = { region: REGION, credentials: KEYS, now: () => new Date(clock.now + 3_600_000) };
    await using later = await startEcr(ahead, () => 'pass');
    const late = { ...STATIC, AWS_ENDPOINT_URL_ECR: later.url };
    await using skewed = open(ECR_NAME, at.registry, { provider: 'ecr' }, late);
    assert.equal((await failure(skewed.read())).code, 'clock-skew');
  });

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
