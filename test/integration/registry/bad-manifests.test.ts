import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Digest, sha256 } from '#model/digest.ts';
import type { ErrorCode } from '#model/errors.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '#model/media-types.ts';
import { parseManifest } from '#oci/manifest.ts';
import type { Target } from '#oci/target.ts';
import { fails, failure } from '../../support/failure.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { connect } from '../../support/registry-target.ts';

const LAYER = Buffer.from('the bytes of a layer');
const NOW = new Date('2026-03-01T12:00:00Z');

describe('a registry that answers badly', () => {
  let fake: FakeRegistry;
  let target: Target & AsyncDisposable;
  let layer: { digest: Digest; size: number };
  let image: Digest;

  beforeEach(async () => {
    fake = await startFakeRegistry();
    target = connect(fake.url, { now: () => NOW, limits: { callMs: 5000 } });
    layer = { digest: fake.addBlob(LAYER), size: LAYER.byteLength };
    image = fake.addManifest('v1', manifestOf(layer), OCI_MANIFEST);
  });
  afterEach(async () => {
    await target[Symbol.asyncDispose]();
    await fake.stop();
  });

  it('turns each status into what it means, with the words of the registry', async () => {
    const cases: [number, string, ErrorCode][] = [
      [400, 'NAME_INVALID', 'registry-refused'],
      [401, 'UNAUTHORIZED', 'registry-unauthorized'],
      [403, 'DENIED', 'registry-forbidden'],
      [404, 'MANIFEST_UNKNOWN', 'not-found'],
      [405, 'UNSUPPORTED', 'registry-refused'],
      [413, 'SIZE_INVALID', 'too-large'],
      [418, 'TEAPOT', 'registry-refused'],
      [429, 'TOOMANYREQUESTS', 'registry-throttled'],
      [500, 'UNKNOWN', 'registry-unavailable'],
      [502, 'UNKNOWN', 'registry-unavailable'],
      [503, 'UNAVAILABLE', 'registry-unavailable'],
      [204, 'ODD', 'registry-protocol'],
    ];
    for (const [status, code, wanted] of cases) {
      fake.fail(/manifests/, status, {}, code);
      const error = await failure(target.manifest('team/app', 'v1'));
      assert.equal(error.code, wanted, `${status}`);
      assert.match(error.message, new RegExp(`^registry.test: reading manifest v1 of team/app: .* answered ${status}`));
      if (status !== 204) assert.match(error.message, new RegExp(code));
    }
  });

  it('says the same of a HEAD, where there are no words', async () => {
    for (const [status, code] of [
      [404, 'not-found'],
      [403, 'registry-forbidden'],
      [503, 'registry-unavailable'],
    ] as const) {
      fake.fail(/manifests|blobs/, status);
      assert.equal((await failure(target.resolve('team/app', 'v1'))).code, code);
      if (status !== 404) assert.equal((await failure(target.hasBlob('team/app', layer.digest))).code, code);
    }
  });

  it('honours Retry-After, in seconds and as a date, of 429 and 503', async () => {
    fake.fail(/manifests/, 429, { 'retry-after': '7' });
    assert.equal((await failure(target.manifest('team/app', 'v1'))).retryAfterMs, 7000);
    fake.fail(/manifests/, 503, { 'retry-after': 'Sun, 01 Mar 2026 12:01:00 GMT' });
    assert.equal((await failure(target.resolve('team/app', 'v1'))).retryAfterMs, 60_000);
  });

  it('quotes no control characters, and not much', async () => {
    answerWith(fake, /manifests/, 500, '\u001b[31mfoo\nbar\u202e'.repeat(1000));
    const { message } = await failure(target.manifest('team/app', 'v1'));
    assert.doesNotMatch(message, /\p{C}/u);
    assert.ok(message.length < 500, `${message.length}`);
  });

  it('does not read an endless error', async () => {
    fake.misbehave(/manifests/, (_, response) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      pour(response);
      return undefined;
    });
    assert.equal((await failure(target.manifest('team/app', 'v1'))).code, 'registry-unavailable');
  });

  it('notices a manifest that is another than the one asked for', async () => {
    const other = manifestOf({ ...layer, size: 1 });
    fake.misbehave(new RegExp(`GET.*manifests/${image}`), (_, response) => void sendManifest(response, other));
    await fails('digest-mismatch', target.manifest('team/app', image));
    fake.misbehave(new RegExp(`HEAD.*manifests/${image}`), (_, response) => void sendManifest(response, other, {}, ''));
    await fails('digest-mismatch', target.resolve('team/app', image));
  });

  it('notices a digest header that is not that of the bytes', async () => {
    const lie = { 'docker-content-digest': sha256('something else') };
    fake.misbehave(/GET.*manifests/, (_, response) => void sendManifest(response, manifestOf(layer), lie));
    await fails('digest-mismatch', target.manifest('team/app', 'v1'));
  });

  it('reads the bytes when the headers of a HEAD do not tell', async () => {
    for (const missing of ['docker-content-digest', 'content-type', 'content-length']) {
      fake.misbehave(/HEAD/, (_, response) => {
        const headers: Record<string, string> = {
          'docker-content-digest': image,
          'content-type': OCI_MANIFEST,
          'content-length': '400',
        };
        delete headers[missing];
        response.writeHead(200, headers).end();
        return undefined;
      });
      const resolved = await target.resolve('team/app', 'v1');
      assert.deepEqual(resolved, { mediaType: OCI_MANIFEST, digest: image, size: manifestOf(layer).byteLength });
    }
    fake.fail(/HEAD/, 405);
    assert.equal((await target.resolve('team/app', 'v1')).digest, image);
  });

  it('refuses a content type that lies, and takes the word of the bytes where there is none', async () => {
    fake.misbehave(/manifests/, (_, response) => {
      return void sendManifest(response, manifestOf(layer), { 'content-type': OCI_INDEX });
    });
    await fails('manifest-malformed', target.manifest('team/app', 'v1'));
    for (const headers of [{ 'content-type': 'application/json; charset=utf-8' }, { 'content-type': '' }]) {
      fake.misbehave(/manifests/, (_, response) => void sendManifest(response, manifestOf(layer), headers));
      assert.equal((await target.manifest('team/app', 'v1')).descriptor.mediaType, OCI_MANIFEST);
    }
    fake.misbehave(/manifests/, (_, response) => {
      return void sendManifest(response, Buffer.from('{}'), { 'content-type': 'application/json' });
    });
    await fails('manifest-malformed', target.manifest('team/app', 'v1'));
  });

  it('refuses schema 1 and web pages by name', async () => {
    const types = ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'text/html'];
    for (const type of types) {
      fake.misbehave(/manifests/, (_, response) => {
        return void sendManifest(response, Buffer.from('{"schemaVersion":1}'), { 'content-type': type });
      });
      const read = async () => parseManifest(await target.manifest('team/app', 'v1'));
      await fails('media-type-unsupported', read());
    }
  });

  it('refuses manifests over 4 MiB, told or poured, and JSON nested without end', async () => {
    const huge = Buffer.alloc(5 * 1024 * 1024, ' ');
    fake.misbehave(/manifests/, (_, response) => void sendManifest(response, huge));
    await fails('too-large', target.manifest('team/app', 'v1'));
    fake.misbehave(/manifests/, (_, response) => {
      response.writeHead(200, { 'content-type': OCI_MANIFEST });
      pour(response);
      return undefined;
    });
    await fails('too-large', target.manifest('team/app', 'v1'));
    const deep = Buffer.from('['.repeat(4_000_000));
    fake.misbehave(/manifests/, (_, response) => void sendManifest(response, deep));
    await fails('manifest-malformed', target.manifest('team/app', 'v1'));
  });
});

function manifestOf(layer: { digest: Digest; size: number }): Buffer {
  const config = { mediaType: OCI_CONFIG, digest: sha256('{}'), size: 2 };
  const layers = [{ mediaType: OCI_LAYER_GZIP, ...layer }];
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }));
}

function sendManifest(
  response: ServerResponse,
  bytes: Buffer,
  headers: Readonly<Record<string, string>> = {},
  body: Buffer | string = bytes,
): void {
  const defaults = { 'content-type': OCI_MANIFEST, 'docker-content-digest': sha256(bytes) };
  response.writeHead(200, { ...defaults, 'content-length': bytes.byteLength, ...headers }).end(body);
}

function answerWith(fake: FakeRegistry, pattern: RegExp, status: number, message: string): void {
  fake.misbehave(pattern, (_, response) => {
    response.writeHead(status).end(JSON.stringify({ errors: [{ code: `X${message}`.slice(0, 200), message }] }));
    return undefined;
  });
}

/** Writes until the other side goes away. */
function pour(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, ' ');
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}
