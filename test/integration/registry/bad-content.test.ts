import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Digest, sha256 } from '#model/digest.ts';
import type { ErrorCode } from '#model/errors.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '#model/media-types.ts';
import type { Target } from '#oci/target.ts';
import { fails, failure } from '../../support/failure.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { connect } from '../../support/registry-target.ts';

const LAYER = Buffer.from('the bytes of a layer');

describe('a registry that answers badly about content', () => {
  let fake: FakeRegistry;
  let target: Target & AsyncDisposable;
  let layer: { digest: Digest; size: number };

  beforeEach(async () => {
    fake = await startFakeRegistry();
    target = connect(fake.url, { limits: { callMs: 5000 } });
    layer = { digest: fake.addBlob(LAYER), size: LAYER.byteLength };
  });
  afterEach(async () => {
    await target[Symbol.asyncDispose]();
    await fake.stop();
  });

  it('never lets a wrong layer pass for the right one', async () => {
    const cases: [string, Buffer, Record<string, string>, ErrorCode][] = [
      ['other bytes', Buffer.from('THE BYTES OF A LAYER'), {}, 'digest-mismatch'],
      ['cut, and told so', LAYER.subarray(0, 5), { 'content-length': '5' }, 'layer-corrupt'],
      ['cut, and not told', LAYER.subarray(0, 5), { 'transfer-encoding': 'chunked' }, 'layer-corrupt'],
      ['longer, and told so', Buffer.concat([LAYER, LAYER]), {}, 'too-large'],
      ['longer, and not told', Buffer.concat([LAYER, LAYER]), { 'transfer-encoding': 'chunked' }, 'too-large'],
    ];
    for (const [name, bytes, headers, code] of cases) {
      fake.misbehave(/blobs/, (_, response) => {
        const length = headers['transfer-encoding'] ? {} : { 'content-length': String(bytes.byteLength) };
        response.writeHead(200, { ...length, ...headers }).end(bytes);
        return undefined;
      });
      assert.equal((await failure(readLayer())).code, code, name);
    }
  });

  it('calls a connection that breaks inside a layer a network failure', async () => {
    fake.misbehave(/blobs/, (_, response) => {
      response.writeHead(200, { 'content-length': String(LAYER.byteLength) });
      response.write(LAYER.subarray(0, 5), () => response.destroy());
      return undefined;
    });
    await fails('network', readLayer());
  });

  it('gives up on answers that do not come, or drip', async () => {
    await using impatient = connect(fake.url, {
      limits: { callMs: 100, blobBaseMs: 100, blobBytesPerSecond: 1_000_000 },
    });
    fake.misbehave(/manifests/, () => undefined);
    await fails('timeout', impatient.manifest('team/app', 'v1'));
    fake.misbehave(/blobs/, (_, response) => {
      response.writeHead(200, { 'content-length': String(LAYER.byteLength) }).write(LAYER.subarray(0, 5));
      return undefined;
    });
    await fails('timeout', readLayer(impatient));
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    fake.misbehave(/manifests/, () => void stop.abort());
    await fails('canceled', target.manifest('team/app', 'v1', stop.signal));
  });

  it('follows the pages of a tag list, in every form of Link', async () => {
    const links = [
      '</v2/team/app/tags/list?last=b&n=2>; rel="next"',
      `<${fake.url}v2/team/app/tags/list?last=c>; rel=next`,
    ];
    fake.misbehave(/tags/, (request, response) => {
      const page = request.url?.includes('last=c') ? 2 : request.url?.includes('last=b') ? 1 : 0;
      const tags = [['a', 'b'], ['c', '../bad', 7], ['d']][page];
      response.writeHead(200, links[page] === undefined ? {} : { link: links[page] });
      response.end(JSON.stringify({ name: 'team/app', tags }));
      return undefined;
    });
    assert.deepEqual(await collect(target.tags('team/app')), ['a', 'b', 'c', 'd']);
  });

  it('leaves a tag list that leads elsewhere, in circles or nowhere', async () => {
    const links: [string, RegExp][] = [
      ['<http://169.254.169.254/latest>; rel="next"', /not on this list/],
      ['<https://evil.example/v2/team/app/tags/list?last=b>; rel="next"', /not on this list/],
      ['</v2/other/app/tags/list?last=b>; rel="next"', /not on this list/],
      ['</v2/team/app/tags/list?n=1000>; rel="next"', /do not end/],
    ];
    for (const [link, message] of links) {
      fake.misbehave(/tags/, (_, response) => {
        response.writeHead(200, { link }).end('{"tags":["a"]}');
        return undefined;
      });
      await assert.rejects(collect(target.tags('team/app')), { code: 'registry-protocol', message });
    }
    let page = 0;
    await using few = connect(fake.url, { limits: { tagPages: 5 } });
    fake.misbehave(/tags/, (_, response) => {
      response.writeHead(200, { link: `</v2/team/app/tags/list?last=${page++}>; rel="next"` }).end('{"tags":["a"]}');
      return undefined;
    });
    await fails('registry-protocol', collect(few.tags('team/app')));
    assert.equal(page, 5);
  });

  it('refuses an upload that is sent to another host, and a manifest that was stored otherwise', async () => {
    for (const location of ['https://evil.example/upload?x=1', 'http://localhost:1/upload']) {
      fake.misbehave(/POST/, (_, response) => void response.writeHead(202, { location }).end());
      await fails('host-not-allowed', target.pushBlob('team/app', Buffer.from('new'), OCI_LAYER_GZIP));
    }
    fake.misbehave(/POST/, (_, response) => void response.writeHead(202).end());
    await fails('registry-protocol', target.pushBlob('team/app', Buffer.from('new'), OCI_LAYER_GZIP));
    fake.misbehave(/PUT/, (_, response) => {
      return void response.writeHead(201, { 'docker-content-digest': sha256('other') }).end();
    });
    await fails('digest-mismatch', target.pushManifest('team/app', 'v1', manifestOf(layer), OCI_MANIFEST));
  });

  it('keeps the query of an upload as the registry wrote it', async () => {
    const location = '/v2/team/app/blobs/uploads/1?_state=a%2Fb-~%3D&k=';
    fake.misbehave(/POST/, (_, response) => void response.writeHead(202, { location }).end());
    fake.misbehave(/PUT/, (_, response) => void response.writeHead(201).end());
    const { digest } = await target.pushBlob('team/app', Buffer.from('new'), OCI_LAYER_GZIP);
    assert.equal(fake.requests.at(-1), `PUT ${location}&digest=${digest}`);
  });

  it('says of a lost upload session that it may be tried again, and of a lost blob that it is not there', async () => {
    fake.misbehave(/POST/, (_, response) => void response.writeHead(202, { location: '/v2/upload' }).end());
    fake.fail(/PUT/, 404, {}, 'BLOB_UPLOAD_UNKNOWN');
    await fails('registry-unavailable', target.pushBlob('team/app', Buffer.from('new'), OCI_LAYER_GZIP));
    fake.fail(/PUT/, 400, {}, 'MANIFEST_BLOB_UNKNOWN');
    await fails('not-found', target.pushManifest('team/app', 'v1', manifestOf(layer), OCI_MANIFEST));
  });

  async function readLayer(from: Target = target): Promise<void> {
    for await (const _ of await from.blob('team/app', layer));
  }
});

function manifestOf(layer: { digest: Digest; size: number }): Buffer {
  const config = { mediaType: OCI_CONFIG, digest: sha256('{}'), size: 2 };
  const layers = [{ mediaType: OCI_LAYER_GZIP, ...layer }];
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }));
}

async function collect(tags: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const tag of tags) all.push(tag);
  return all;
}
