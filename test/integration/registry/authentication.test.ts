import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { AppError } from '#model/errors.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '#model/media-types.ts';
import { type Credential, type CredentialSource, configuredCredential } from '#oci/credentials.ts';
import type { Target } from '#oci/target.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { REGISTRY_USER, startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect, secret } from '../../support/registry-target.ts';
import { startTokenServer, type TokenServer } from '../../support/token-server.ts';

const IDENTITY_TOKEN = 'refresh-T0PS3CRET';

describe('Basic authentication', () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await startRegistry({ htpasswd: true });
  });
  after(() => registry.stop());

  it('writes, reads, lists and deletes with user and password', async () => {
    await using target = connect(registry.url, { credentials: basic(REGISTRY_USER) });
    await roundTrip(target, 'team/basic');
  });

  it('says 401 without credentials, and with wrong ones, and never shows them', async () => {
    await using anonymous = connect(registry.url);
    await unauthorized(anonymous.manifest('team/basic', 'v1'));
    await using wrong = connect(registry.url, { credentials: basic({ username: 'pusher', password: 'T0PS3CRET' }) });
    await unauthorized(wrong.manifest('team/basic', 'v1'));
    await unauthorized(wrong.pushBlob('team/basic', Buffer.from('x'), 'a/b'));
  });

  it('asks its source again when the password was changed', async () => {
    let password = 'old';
    const credentials = configuredCredential(() => ({ ...user(REGISTRY_USER), password: secret(password) }));
    await using target = connect(registry.url, { credentials });
    await unauthorized(target.hasBlob('team/basic', ABSENT));
    password = REGISTRY_USER.password;
    assert.equal(await target.hasBlob('team/basic', ABSENT), false);
  });

  it('makes a source that remembers forget what was refused', async () => {
    const remembered = forgetful([user({ ...REGISTRY_USER, password: 'expired' }), user(REGISTRY_USER)]);
    await using target = connect(registry.url, { credentials: remembered });
    assert.equal(await target.hasBlob('team/basic', ABSENT), false);
    assert.equal(remembered.invalidated(), 1);
  });
});

describe('Bearer authentication', () => {
  let tokens: TokenServer;
  let registry: TestRegistry;
  const clock = { now: Date.parse('2026-03-01T12:00:00Z') };
  const robot = { username: 'robot', password: 'robot-pass' };
  const options = { now: () => new Date(clock.now) };

  before(async () => {
    tokens = await startTokenServer({ ...robot, identityToken: IDENTITY_TOKEN, expiresIn: 300 });
    const { url, service, issuer, certificate } = tokens;
    registry = await startRegistry({ token: { realm: url.href, service, issuer, certificate } });
    await using target = connect(registry.url, { ...options, credentials: basic(robot) });
    await roundTrip(target, 'team/bearer', { keep: true });
  });
  after(async () => {
    await registry.stop();
    await tokens.stop();
  });
  beforeEach(() => {
    tokens.expireTokens(undefined);
    tokens.failWith(undefined);
  });

  it('gets a token for each scope once, and asks again shortly before its end', async () => {
    await using target = connect(registry.url, { ...options, credentials: basic(robot) });
    const asked = countCalls(tokens);
    await target.manifest('team/bearer', 'v1');
    await target.resolve('team/bearer', 'v1');
    assert.equal(asked(), 1);
    assert.deepEqual(tokens.calls.at(-1), {
      method: 'GET',
      scopes: ['repository:team/bearer:pull'],
      account: 'robot',
      service: tokens.service,
    });
    await target.pushBlob('team/bearer', Buffer.from('new'), 'a/b');
    assert.equal(asked(), 2);
    clock.now += 280_000;
    await target.manifest('team/bearer', 'v1');
    assert.equal(asked(), 2);
    clock.now += 10_000;
    await target.manifest('team/bearer', 'v1');
    assert.equal(asked(), 3);
  });

  it('asks once for many requests at the same time', async () => {
    await using target = connect(registry.url, { ...options, credentials: basic(robot) });
    const asked = countCalls(tokens);
    await Promise.all(Array.from({ length: 6 }, () => target.manifest('team/bearer', 'v1')));
    assert.equal(asked(), 1);
  });

  it('throws away a token that is refused, and gets another', async () => {
    await using target = connect(registry.url, { ...options, credentials: basic(robot) });
    // Distribution allows clocks to differ by a minute.
    tokens.expireTokens(120);
    await unauthorized(target.manifest('team/bearer', 'v1'));
    tokens.expireTokens(undefined);
    await target.manifest('team/bearer', 'v1');
  });

  it('renews a cached token that the registry no longer takes', async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'attestry-token-'));
    t.after(() => rm(dir, { recursive: true }));
    const { service, issuer } = tokens;
    await using successor = await startTokenServer({ ...robot, service });
    const first = await startRegistry({
      dir,
      token: { realm: tokens.url.href, service, issuer, certificate: tokens.certificate },
    });
    await using target = connect(first.url, { ...options, credentials: basic(robot) });
    await roundTrip(target, 'team/renewed', { keep: true });
    await first.stop();
    // The registry comes back with another signing certificate: what it took before is void.
    await using _second = await startRegistry({
      dir,
      port: first.port,
      token: { realm: successor.url.href, service, issuer, certificate: successor.certificate },
    });
    const { descriptor } = await target.manifest('team/renewed', 'v1');
    assert.equal(descriptor.mediaType, OCI_MANIFEST);
    assert.equal(successor.calls.length, 1);
  });

  it('is content with an anonymous token where the registry is', async () => {
    await using target = connect(registry.url, options);
    assert.equal((await target.manifest('team/bearer', 'v1')).descriptor.mediaType, OCI_MANIFEST);
    await unauthorized(target.pushBlob('team/bearer', Buffer.from('not allowed'), 'a/b'));
  });

  it('exchanges an identity token by POST', async () => {
    const credentials = configuredCredential(() => ({ kind: 'identity-token', token: secret(IDENTITY_TOKEN) }));
    await using target = connect(registry.url, { ...options, credentials });
    await target.pushBlob('team/bearer', Buffer.from('by identity'), 'a/b');
    assert.equal(tokens.calls.at(-1)?.method, 'POST');
    assert.deepEqual(tokens.calls.at(-1)?.scopes, ['repository:team/bearer:pull,push']);
  });

  it('sends a registry token as it is', async () => {
    await using lender = connect(registry.url, { ...options, credentials: basic(robot) });
    await lender.manifest('team/bearer', 'v1');
    const asked = countCalls(tokens);
    const url = new URL(tokens.url);
    url.search = `?service=${tokens.service}&scope=repository:team/bearer:pull`;
    const { token } = (await (await fetch(url)).json()) as { token: string };
    const credentials = configuredCredential(() => ({ kind: 'registry-token', token: secret(token) }));
    await using target = connect(registry.url, { ...options, credentials });
    await target.manifest('team/bearer', 'v1');
    assert.equal(asked(), 1);
  });

  it('deletes with the right to delete', async () => {
    await using target = connect(registry.url, { ...options, credentials: basic(robot) });
    await roundTrip(target, 'team/deleting');
    assert.ok(tokens.calls.some(({ scopes }) => scopes.includes('repository:team/deleting:delete')));
  });

  it('says what the token server answered, and never what it echoed', async () => {
    const cases = [
      [400, 'registry-unauthorized'],
      [401, 'registry-unauthorized'],
      [403, 'registry-unauthorized'],
      [404, 'registry-protocol'],
      [429, 'registry-throttled'],
      [503, 'registry-unavailable'],
    ] as const;
    for (const [status, code] of cases) {
      tokens.failWith(status, { 'retry-after': '9' });
      const credentials = configuredCredential(() => ({ kind: 'identity-token', token: secret(IDENTITY_TOKEN) }));
      await using target = connect(registry.url, { ...options, credentials });
      const error = await failure(target.manifest('team/bearer', 'v1'));
      assert.equal(error.code, code, `${status}`);
      assert.match(
        error.message,
        new RegExp(`token server localhost:\\d+ answered ${status} with the given credentials`),
      );
      assert.equal(error.retryAfterMs, 9000);
    }
  });

  it('renews credentials that the token server refuses, once', async () => {
    const remembered = forgetful([user({ ...robot, password: 'expired' }), user(robot)]);
    await using target = connect(registry.url, { ...options, credentials: remembered });
    await target.manifest('team/bearer', 'v1');
    assert.equal(remembered.invalidated(), 1);
    const hopeless = forgetful([user({ ...robot, password: 'T0PS3CRET' })]);
    await using never = connect(registry.url, { ...options, credentials: hopeless });
    await unauthorized(never.manifest('team/bearer', 'v1'));
    assert.equal(hopeless.invalidated(), 1);
  });

  it('lets one caller give up without the others', async () => {
    await using target = connect(registry.url, { ...options, credentials: basic(robot) });
    const stop = new AbortController();
    const given = target.manifest('team/bearer', 'v1', stop.signal);
    const kept = target.manifest('team/bearer', 'v1');
    stop.abort();
    await assert.rejects(given, { code: 'canceled' });
    assert.equal((await kept).descriptor.mediaType, OCI_MANIFEST);
  });
});

describe('challenges that are not to be trusted', () => {
  const credentials = basic({ username: 'me', password: 'T0PS3CRET' });

  async function challenged(challenge: string): Promise<AppError> {
    await using registry = await startFakeRegistry();
    await using target = connect(registry.url, { credentials });
    registry.fail(/./, 401, { 'www-authenticate': challenge });
    return await failure(target.manifest('team/app', 'v1'));
  }

  it('with a realm that is no plain URL, or leads to metadata, get nothing', async () => {
    for (const [realm, code] of [
      ['not a url', 'registry-protocol'],
      ['ftp://auth.example/', 'registry-protocol'],
      ['http://me:you@auth.example/', 'registry-protocol'],
      ['http://169.254.169.254/token', 'host-not-allowed'],
      ['http://metadata.google.internal/token', 'host-not-allowed'],
    ] as const) {
      assert.equal((await challenged(`Bearer realm="${realm}"`)).code, code, realm);
    }
  });

  it('are answered by a scheme that is known, or not at all', async () => {
    for (const challenge of ['Negotiate', 'Bearer service="no realm"', '', 'Digest realm="x", nonce="y"']) {
      assert.equal((await challenged(challenge)).code, 'registry-unauthorized', challenge);
    }
  });

  it('never make an error show the credentials that the registry echoes', async () => {
    await using registry = await startFakeRegistry();
    await using target = connect(registry.url, { credentials });
    registry.misbehave(/./, (request, response) => {
      const { authorization } = request.headers;
      const message = `you sent ${authorization}, that is T0PS3CRET`;
      const status = authorization === undefined ? 401 : 500;
      response.writeHead(status, { 'www-authenticate': 'Basic realm="r"' });
      response.end(JSON.stringify({ errors: [{ code: 'ECHO', message }] }));
      return undefined;
    });
    const { message } = await failure(target.manifest('team/app', 'v1'));
    assert.match(message, /ECHO: "you sent Basic \[redacted\], that is \[redacted\]"/);
  });

  it('tell an expired password by 403, as ECR does', async () => {
    await using registry = await startFakeRegistry();
    registry.addManifest('v1', Buffer.from(`{"mediaType":"${OCI_MANIFEST}"}`), OCI_MANIFEST);
    const fresh = user({ username: 'AWS', password: 'fresh' });
    const remembered = forgetful([user({ username: 'AWS', password: 'expired' }), fresh]);
    const good = `Basic ${Buffer.from('AWS:fresh').toString('base64')}`;
    registry.misbehave(/./, ({ headers: { authorization } }, response) => {
      if (authorization === good) return 'next';
      response.writeHead(authorization === undefined ? 401 : 403, { 'www-authenticate': 'Basic realm="ecr"' }).end();
      return undefined;
    });
    await using target = connect(registry.url, { credentials: remembered });
    assert.equal((await target.manifest('team/app', 'v1')).descriptor.mediaType, OCI_MANIFEST);
    assert.equal(remembered.invalidated(), 1);
  });
});

const ABSENT = `sha256:${'0'.repeat(64)}` as const;

function user({ username, password }: { username: string; password: string }) {
  return { kind: 'basic', username, password: secret(password) } as const;
}

function basic(given: { username: string; password: string }): CredentialSource {
  return configuredCredential(() => user(given));
}

/** A source that keeps to its first credential until it is told to forget it. */
function forgetful(credentials: readonly Credential[]): CredentialSource & { invalidated(): number } {
  let times = 0;
  return {
    get: async () => credentials[Math.min(times, credentials.length - 1)],
    invalidate: () => {
      times++;
    },
    invalidated: () => times,
  };
}

function countCalls(server: TokenServer): () => number {
  const before = server.calls.length;
  return () => server.calls.length - before;
}

async function roundTrip(target: Target, repository: string, { keep = false } = {}): Promise<void> {
  const config = await target.pushBlob(repository, Buffer.from('{}'), OCI_CONFIG);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }));
  const { digest } = await target.pushManifest(repository, 'v1', bytes, OCI_MANIFEST);
  assert.equal((await target.resolve(repository, 'v1')).digest, digest);
  const tags: string[] = [];
  for await (const tag of target.tags(repository)) tags.push(tag);
  assert.deepEqual(tags, ['v1']);
  if (!keep) await target.deleteManifest(repository, digest);
}

async function failure(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => assert.fail('it did not fail'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof AppError, String(error));
  assert.doesNotMatch(inspect(error, { depth: 10 }), /T0PS3CRET/);
  return error;
}

async function unauthorized(work: Promise<unknown>): Promise<void> {
  const error = await failure(work);
  assert.equal(error.code, 'registry-unauthorized', error.message);
  assert.ok(error.mend);
}
