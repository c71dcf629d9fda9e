import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { OCI_MANIFEST } from '#model/media-types.ts';
import { configuredCredential } from '#oci/credentials.ts';
import type { Target } from '#oci/target.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { startForwardProxy } from '../../support/forward-proxy.ts';
import { connect, secret } from '../../support/registry-target.ts';
import { makeServerCertificate } from '../../support/server-certificate.ts';

const BLOB = Buffer.from('kept in another store');
const DESCRIPTOR = { digest: sha256(BLOB), size: BLOB.byteLength };
const credentials = configuredCredential(() => ({ kind: 'basic', username: 'me', password: secret('pw') }));

describe('redirects', () => {
  it('are followed to another store, without our credentials', async () => {
    await using registry = await startFakeRegistry();
    await using store = await startFakeRegistry();
    await using target = connect(registry.url, { credentials });
    store.misbehave(/GET \/store/, (_, response) => void response.end(BLOB));
    redirect(registry, /blobs/, `${store.url}store/blob?signature=T0PS3CRET`);
    askForBasic(registry);
    assert.deepEqual(await read(target), BLOB);
    assert.match(registry.authorizations.at(-1) ?? '', /^Basic /);
    assert.deepEqual(store.authorizations, [undefined]);
    assert.deepEqual(store.requests, ['GET /store/blob?signature=T0PS3CRET']);
  });

  it('keep our credentials on the registry itself', async () => {
    await using registry = await startFakeRegistry();
    await using target = connect(registry.url, { credentials });
    registry.misbehave(/\/moved\//, (_, response) => void response.end(BLOB));
    redirect(registry, /v2.*blobs/, '/moved/here');
    askForBasic(registry);
    assert.deepEqual(await read(target), BLOB);
    assert.match(registry.authorizations.at(-1) ?? '', /^Basic /);
  });

  it('are followed three times and no more, for manifests and HEAD too', async () => {
    await using registry = await startFakeRegistry();
    await using target = connect(registry.url);
    const bytes = Buffer.from(`{"schemaVersion":2,"mediaType":"${OCI_MANIFEST}"}`);
    registry.addManifest('v1', bytes, OCI_MANIFEST);
    for (const hop of [1, 2, 3]) {
      redirect(
        registry,
        new RegExp(`hop${hop}/manifests`),
        hop === 3 ? '/v2/end/manifests/v1' : `/hop${hop + 1}/manifests/v1`,
      );
    }
    redirect(registry, /v2\/team\/app\/manifests/, '/hop1/manifests/v1');
    await refuses(target.manifest('team/app', 'v1'), /more than 3 in a row/);
    redirect(registry, /v2\/team\/app\/manifests/, '/hop2/manifests/v1');
    assert.equal((await target.manifest('team/app', 'v1')).descriptor.digest, sha256(bytes));
    assert.equal((await target.resolve('team/app', 'v1')).digest, sha256(bytes));
  });

  it('to metadata, other schemes, user information or nowhere are refused', async () => {
    await using registry = await startFakeRegistry();
    await using target = connect(registry.url);
    for (const location of [
      'http://169.254.169.254/latest/meta-data',
      'http://[fd00:ec2::254]/latest',
      'http://metadata.google.internal/',
      'http://[::ffff:169.254.169.254]/',
      'ftp://storage.example/blob',
      'file:///etc/passwd',
      'http://me:T0PS3CRET@storage.example/',
      'http://',
      '',
    ]) {
      redirect(registry, /blobs/, location);
      await refuses(read(target), /./, location);
    }
  });

  it('to this machine are refused unless the registry is on it', async () => {
    await using registry = await startFakeRegistry();
    await using store = await startFakeRegistry();
    store.misbehave(/./, (_, response) => void response.end(BLOB));
    redirect(registry, /blobs/, `${store.url}blob`);
    await using proxy = await startForwardProxy({ 'registry.example:80': registry.host });
    await using remote = connect(new URL('http://registry.example/'), { http: { proxy } });
    await refuses(read(remote), /a loopback address/);
    assert.deepEqual(store.requests, []);
    await using local = connect(registry.url);
    assert.deepEqual(await read(local), BLOB);
  });

  it('from https to http are refused', async () => {
    const { ca, ...tls } = makeServerCertificate();
    await using registry = await startFakeRegistry({ tls });
    await using store = await startFakeRegistry();
    await using target = connect(registry.url, { http: { ca } });
    redirect(registry, /blobs/, `${store.url}blob`);
    await refuses(read(target), /from https to http/);
    assert.deepEqual(store.requests, []);
  });

  it('of a write are refused', async () => {
    await using registry = await startFakeRegistry();
    await using store = await startFakeRegistry();
    await using target = connect(registry.url, { credentials });
    redirect(registry, /PUT|POST|DELETE/, `${store.url}elsewhere`);
    await refuses(target.pushManifest('team/app', 'v1', Buffer.from('{}'), OCI_MANIFEST), /never redirected/);
    await refuses(target.pushBlob('team/app', BLOB, 'a/b'), /never redirected/);
    await refuses(target.deleteManifest('team/app', DESCRIPTOR.digest), /never redirected/);
    assert.deepEqual(store.requests, []);
  });

  it('never show the query of a storage URL in an error', async () => {
    await using registry = await startFakeRegistry();
    await using store = await startFakeRegistry();
    await using target = connect(registry.url);
    store.fail(/./, 403);
    redirect(registry, /blobs/, `${store.url}blob?signature=T0PS3CRET`);
    const error = await read(target).catch((reason: unknown) => reason);
    assert.ok(error instanceof AppError && error.code === 'registry-forbidden', String(error));
    assert.doesNotMatch(`${error.message} ${error.stack}`, /T0PS3CRET/);
  });
});

function redirect(registry: FakeRegistry, pattern: RegExp, location: string): void {
  const headers = location === '' ? {} : { location };
  registry.misbehave(pattern, (_, response) => void response.writeHead(307, headers).end());
}

/** 401 until an Authorization is there. */
function askForBasic(registry: FakeRegistry): void {
  registry.misbehave(/./, (request, response) => {
    if (request.headers.authorization !== undefined) return 'next';
    response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    return undefined;
  });
}

async function read(target: Target): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await target.blob('team/app', DESCRIPTOR)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function refuses(work: Promise<unknown>, message: RegExp, of?: string): Promise<void> {
  const error = await work.then(
    () => assert.fail(`followed ${of}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof AppError && error.code === 'host-not-allowed', `${of}: ${String(error)}`);
  assert.match(error.message, message);
  assert.doesNotMatch(error.message, /T0PS3CRET/);
}
