import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createSecretResolver } from '#config/secrets.ts';
import { createHttpClient } from '#http/undici-client.ts';
import { AppError } from '#model/errors.ts';
import { buildkiteProvider } from '#signing/identity/buildkite.ts';
import { type ClientCredentialsOptions, clientCredentialsProvider } from '#signing/identity/client-credentials.ts';
import { githubProvider } from '#signing/identity/github.ts';
import type { IdentityProvider } from '#signing/identity/provider.ts';
import { storedTokenProvider } from '#signing/identity/stored-token.ts';
import { readIdentityToken } from '#signing/identity/token.ts';
import { edited, json, serveHttp } from '../../support/http-server.ts';
import { CLIENT, type IdentityIssuer, startIdentityIssuer } from '../../support/identity-issuer.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const now = () => NOW;

let folder: string;
let issuer: IdentityIssuer;
const env: Record<string, string> = {};
const secrets = createSecretResolver({ env, readFileSync });
const stack = new AsyncDisposableStack();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'attestry-identity-'));
  stack.defer(() => rm(folder, { recursive: true }));
  issuer = stack.use(await startIdentityIssuer({ now }));
});
after(() => stack.disposeAsync());

function http(...hosts: readonly string[]) {
  const client = createHttpClient({ allowedHosts: hosts, userAgent: 'attestry-test' });
  stack.defer(() => client.close());
  return client;
}

async function claimsOf(provider: IdentityProvider) {
  return issuer.claimsOf((await provider.token()).reveal());
}

/** The failure, which quotes none of these texts, however deep. */
async function failure(provider: IdentityProvider, ...secret: readonly string[]): Promise<AppError> {
  const error = await provider.token().catch((thrown: unknown) => thrown);
  assert.ok(error instanceof AppError, String(error));
  for (let shown: unknown = error; shown instanceof Error; shown = shown.cause) {
    for (const text of secret) assert.ok(!shown.message.includes(text), shown.message);
  }
  return error;
}

describe('a token that is stored', () => {
  test('is read at each use, without the line end of its file', async () => {
    const path = join(folder, 'token');
    const provider = storedTokenProvider(`file:${path}`, secrets);
    for (const subject of ['first', 'second']) {
      writeFileSync(path, `${issuer.token({ subject })}\n`);
      assert.equal((await claimsOf(provider))?.sub, subject);
    }
  });

  test('of GitLab is in a variable', async () => {
    const provider = storedTokenProvider('env:SIGSTORE_ID_TOKEN', secrets);
    const missing = await failure(provider);
    assert.equal(missing.code, 'identity-token-unavailable');
    assert.match(missing.message, /the variable SIGSTORE_ID_TOKEN cannot be read/);
    env.SIGSTORE_ID_TOKEN = issuer.token({ subject: 'project_path:team/app' });
    assert.equal((await claimsOf(provider))?.sub, 'project_path:team/app');
  });

  test('may be there at the next try', async () => {
    const path = join(folder, 'late');
    const provider = storedTokenProvider(`file:${path}`, secrets);
    assert.equal((await failure(provider)).class, 'transient');
    writeFileSync(path, '\n');
    assert.match((await failure(provider)).message, /is empty|cannot be read/);
    writeFileSync(path, issuer.token());
    assert.equal((await claimsOf(provider))?.sub, 'worker');
  });

  test('of SPIFFE has a SPIFFE name', () => {
    const provider = storedTokenProvider('file:/unused', secrets, 'spiffe://');
    const check = { ...provider, audience: 'sigstore', now: NOW };
    const subject = 'spiffe://example.test/worker';
    assert.equal(readIdentityToken(issuer.token({ subject }), check).subject, subject);
    assert.throws(() => readIdentityToken(issuer.token(), check), {
      code: 'identity-token-malformed',
      message: /no spiffe:\/\/ name/,
    });
  });
});

describe('a job of GitHub Actions', () => {
  const requestToken = 'gh-request-token-0123456789';

  async function start() {
    const server = await serveHttp(({ path, headers }) => {
      if (headers.authorization !== `Bearer ${requestToken}`)
        return json(403, { message: `no: ${headers.authorization}` });
      const audience = new URL(path, 'http://x').searchParams.get('audience') ?? 'none';
      return json(200, { count: 1, value: issuer.token({ subject: 'repo:team/app', audience }) });
    });
    const provider = githubProvider({ audience: 'sigstore', http: http(server.host), secrets, timeoutMs: 5000, now });
    env.ACTIONS_ID_TOKEN_REQUEST_URL = `${server.url}/idtoken?api-version=2.0`;
    env.ACTIONS_ID_TOKEN_REQUEST_TOKEN = requestToken;
    return { server, provider, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }

  test('asks its runner, for the audience', async () => {
    await using job = await start();
    const claims = await claimsOf(job.provider);
    assert.deepEqual([claims?.sub, claims?.aud], ['repo:team/app', 'sigstore']);
    assert.equal(job.server.requests[0]?.path, '/idtoken?api-version=2.0&audience=sigstore');
  });

  test('without the permission, or outside of a job, says so', async () => {
    await using job = await start();
    env.ACTIONS_ID_TOKEN_REQUEST_TOKEN = 'gh-another-token-0123456789';
    const refused = await failure(job.provider, 'gh-another-token');
    assert.deepEqual([refused.code, refused.class], ['identity-token-refused', 'permanent']);
    delete env.ACTIONS_ID_TOKEN_REQUEST_URL;
    const outside = await failure(job.provider);
    assert.equal(outside.code, 'identity-token-unavailable');
    assert.match(outside.mend ?? '', /id-token: write/);
  });

  test('whose runner answers something else', async () => {
    await using job = await start();
    for (const body of ['{}', '[]', 'null', '<html>', '{"value":7}']) {
      job.server.bend(() => ({ status: 200, body }));
      assert.equal((await failure(job.provider)).code, 'identity-token-unavailable');
    }
    job.server.bend(() => ({ status: 429, headers: { 'retry-after': '9' } }));
    const throttled = await failure(job.provider);
    assert.deepEqual([throttled.code, throttled.retryAfterMs], ['identity-token-throttled', 9000]);
  });
});

describe('a job of Buildkite', () => {
  function agent(script: string): string {
    const path = join(folder, 'buildkite-agent');
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  test('asks its agent, for the audience', async () => {
    const token = issuer.token({ subject: 'organization:team' });
    const path = agent(`[ "$*" = "oidc request-token --audience sigstore" ] && echo "${token}"`);
    const provider = buildkiteProvider({ audience: 'sigstore', agent: path, timeoutMs: 5000 });
    assert.equal((await claimsOf(provider))?.sub, 'organization:team');
  });

  test('whose agent fails, gives nothing, or is not there', async () => {
    const provider = (path: string) => buildkiteProvider({ audience: 'sigstore', agent: path, timeoutMs: 5000 });
    const failed = await failure(provider(agent('echo secret-token; echo secret-token >&2; exit 3')), 'secret-token');
    assert.deepEqual([failed.code, failed.class], ['identity-token-unavailable', 'transient']);
    assert.match(failed.message, /failed \(3\)/);
    assert.match((await failure(provider(agent('exit 0')))).message, /no token/);
    assert.match((await failure(provider(join(folder, 'nowhere')))).message, /not installed/);
  });

  test('whose agent hangs is ended with who waits for it', async () => {
    const stop = new AbortController();
    const waiting = buildkiteProvider({ audience: 'sigstore', agent: agent('exec sleep 600'), timeoutMs: 60_000 });
    const asked = waiting.token(stop.signal);
    stop.abort();
    await assert.rejects(asked, { code: 'canceled' });
  });
});

describe('a client of an OAuth 2 server', () => {
  function client(change: Partial<ClientCredentialsOptions> = {}): IdentityProvider {
    env.OAUTH_SECRET = CLIENT.secret;
    return clientCredentialsProvider({
      issuer: new URL(issuer.url),
      clientId: CLIENT.id,
      clientSecret: 'env:OAUTH_SECRET',
      audience: 'sigstore',
      http: http(issuer.host),
      secrets,
      timeoutMs: 5000,
      now,
      ...change,
    });
  }

  test('finds the token endpoint, and asks with audience, scope and resource', async () => {
    const claims = await claimsOf(client({ scope: 'openid email', resource: 'urn:sigstore' }));
    const { sub, aud, scope, resource } = claims ?? {};
    assert.deepEqual([sub, aud, scope, resource], [CLIENT.id, 'sigstore', 'openid email', 'urn:sigstore']);
  });

  test('asks the given endpoint without looking for it', async () => {
    const asked = issuer.requests.length;
    await client({ tokenUrl: new URL(`${issuer.url}/token`) }).token();
    assert.deepEqual(
      issuer.requests.slice(asked).map(({ path }) => path),
      ['/token'],
    );
  });

  test('takes an identity token rather than an access token', async () => {
    const token = issuer.token({ subject: 'identity' });
    issuer.bend((honest, { path }) =>
      path === '/token' ? edited(honest, (value: object) => ({ ...value, id_token: token })) : honest,
    );
    assert.equal((await claimsOf(client()))?.sub, 'identity');
    issuer.bend();
  });

  test('with a secret of any signs is in no message, however a server writes it', async () => {
    const provider = client();
    const odd = 'a"b/c\\d e&f=é';
    env.OAUTH_SECRET = odd;
    const form = new URLSearchParams({ '': odd }).toString().slice(1);
    const writings = [odd, JSON.stringify(odd).slice(1, -1), encodeURIComponent(odd), form];
    for (const writing of [...writings, JSON.stringify(odd).slice(1, -1).replaceAll('/', String.raw`\/`)]) {
      issuer.bend((honest, { path }) => {
        return path === '/token' ? { status: 400, body: `{"error":"no","sent":"${writing}"}` } : honest;
      });
      const refused = await failure(provider, writing);
      assert.match(refused.message, /"sent":"…"/);
    }
    issuer.bend();
  });

  test('with a wrong secret is refused, and the secret is in no message', async () => {
    const provider = client();
    env.OAUTH_SECRET = 'wrong-secret-0123';
    const basic = Buffer.from(`${CLIENT.id}:wrong-secret-0123`).toString('base64');
    issuer.bend((honest, { path, headers }) =>
      path === '/token' ? { ...honest, body: `no: ${headers.authorization} wrong-secret-0123` } : honest,
    );
    const refused = await failure(provider, 'wrong-secret-0123', basic);
    assert.deepEqual([refused.code, refused.class], ['identity-token-refused', 'permanent']);
    issuer.bend();
  });

  test('goes nowhere that the discovery document of another issuer names, nor to an address of this machine', async () => {
    const bendDiscovery = (change: object) =>
      issuer.bend((honest, { path }) =>
        path === '/token' ? honest : edited(honest, (value: object) => ({ ...value, ...change })),
      );
    const elsewhere = await serveHttp(() => json(200, { access_token: 'x' }));
    await using _ = elsewhere;
    bendDiscovery({ issuer: 'https://evil.test' });
    assert.match((await failure(client())).message, /of another issuer/);
    bendDiscovery({ token_endpoint: 'nowhere' });
    assert.match((await failure(client())).message, /no token endpoint/);
    bendDiscovery({ token_endpoint: 'http://169.254.169.254/latest' });
    assert.equal((await failure(client())).code, 'host-not-allowed');
    issuer.bend();
    assert.equal(elsewhere.requests.length, 0);
  });
});
