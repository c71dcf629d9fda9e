import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AppError } from '#model/errors.ts';
import { OCI_MANIFEST } from '#model/media-types.ts';
import { configuredCredential } from '#oci/credentials.ts';
import { failure } from '../../support/failure.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { login, remembering, user } from '../../support/registry-credentials.ts';
import { connect, secret } from '../../support/registry-target.ts';

describe('challenges that are not to be trusted', () => {
  const credentials = login({ username: 'me', password: 'T0PS3CRET' });

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

  it('are not repeated either when they were renewed since the challenge', async () => {
    await using registry = await startFakeRegistry();
    registry.misbehave(/./, ({ headers: { authorization } }, response) => {
      const status = authorization === undefined ? 401 : 500;
      response.writeHead(status, { 'www-authenticate': `Bearer realm="${registry.url}token"` });
      response.end(JSON.stringify({ errors: [{ code: 'ECHO', message: `you sent ${authorization}` }] }));
      return undefined;
    });
    let renewed = 0;
    const credentials = configuredCredential(() => {
      renewed += 1;
      return { kind: 'registry-token', token: secret(`T0PS3CRET-${renewed}`) };
    });
    await using target = connect(registry.url, { credentials });
    for (const tag of ['v1', 'v2', 'v3']) {
      const { message } = await failure(target.manifest('team/app', tag));
      assert.match(message, /you sent Bearer \[redacted\]"/);
    }
    assert.ok(renewed > 2);
  });

  it('tell an expired password by 403, as ECR does', async () => {
    await using registry = await startFakeRegistry();
    registry.addManifest('v1', Buffer.from(`{"mediaType":"${OCI_MANIFEST}"}`), OCI_MANIFEST);
    const fresh = user({ username: 'AWS', password: 'fresh' });
    const remembered = remembering(user({ username: 'AWS', password: 'expired' }), fresh);
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
