import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { OCI_MANIFEST } from '#model/media-types.ts';
import { configuredCredential } from '#oci/credentials.ts';
import { fails, failure } from '../../support/failure.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { login, remembering, user } from '../../support/registry-credentials.ts';
import { connect, secret } from '../../support/registry-target.ts';
import { roundTrip } from '../../support/round-trip.ts';
import { startTokenServer, type TokenServer } from '../../support/token-server.ts';

const IDENTITY_TOKEN = 'refresh-T0PS3CRET';

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
    await using target = connect(registry.url, { ...options, credentials: login(robot) });
    await roundTrip(target, 'team/bearer');
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
    await using target = connect(registry.url, { ...options, credentials: login(robot) });
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
    await using target = connect(registry.url, { ...options, credentials: login(robot) });
    const asked = countCalls(tokens);
    await Promise.all(Array.from({ length: 6 }, () => target.manifest('team/bearer', 'v1')));
    assert.equal(asked(), 1);
  });

  it('asks for both repositories when a blob of one is listed in the other', async () => {
    await using target = connect(registry.url, { ...options, credentials: login(robot) });
    const { digest } = await target.pushBlob('team/bearer', Buffer.from('shared'), 'a/b');
    assert.equal(await target.mountBlob('team/other', digest, 'team/bearer'), true);
    const scopes = tokens.calls.at(-1)?.scopes.toSorted();
    assert.deepEqual(scopes, ['repository:team/bearer:pull', 'repository:team/other:pull,push']);
    assert.equal(await target.hasBlob('team/other', digest), true);
  });

  it('throws away a token that is refused, and gets another', async () => {
    await using target = connect(registry.url, { ...options, credentials: login(robot) });
    // Distribution allows clocks to differ by a minute.
    tokens.expireTokens(120);
    await fails('registry-unauthorized', target.manifest('team/bearer', 'v1'));
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
    await using target = connect(first.url, { ...options, credentials: login(robot) });
    await roundTrip(target, 'team/renewed');
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
    await fails('registry-unauthorized', target.pushBlob('team/bearer', Buffer.from('not allowed'), 'a/b'));
  });

  it('exchanges an identity token by POST', async () => {
    const credentials = configuredCredential(() => ({ kind: 'identity-token', token: secret(IDENTITY_TOKEN) }));
    await using target = connect(registry.url, { ...options, credentials });
    await target.pushBlob('team/bearer', Buffer.from('by identity'), 'a/b');
    assert.equal(tokens.calls.at(-1)?.method, 'POST');
    assert.deepEqual(tokens.calls.at(-1)?.scopes, ['repository:team/bearer:pull,push']);
  });

  it('sends a registry token as it is', async () => {
    await using lender = connect(registry.url, { ...options, credentials: login(robot) });
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
    await using target = connect(registry.url, { ...options, credentials: login(robot) });
    const digest = await roundTrip(target, 'team/deleting');
    await target.deleteManifest('team/deleting', digest);
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
    const remembered = remembering(user({ ...robot, password: 'expired' }), user(robot));
    await using target = connect(registry.url, { ...options, credentials: remembered });
    await target.manifest('team/bearer', 'v1');
    assert.equal(remembered.invalidated(), 1);
    const hopeless = remembering(user({ ...robot, password: 'T0PS3CRET' }));
    await using never = connect(registry.url, { ...options, credentials: hopeless });
    await fails('registry-unauthorized', never.manifest('team/bearer', 'v1'));
    assert.equal(hopeless.invalidated(), 1);
  });

  it('lets one caller give up without the others', async () => {
    await using target = connect(registry.url, { ...options, credentials: login(robot) });
    const stop = new AbortController();
    const given = target.manifest('team/bearer', 'v1', stop.signal);
    const kept = target.manifest('team/bearer', 'v1');
    stop.abort();
    await assert.rejects(given, { code: 'canceled' });
    assert.equal((await kept).descriptor.mediaType, OCI_MANIFEST);
  });
});

function countCalls(server: TokenServer): () => number {
  const before = server.calls.length;
  return () => server.calls.length - before;
}
