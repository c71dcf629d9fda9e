import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import { digestTag, sha256 } from '#model/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '#model/media-types.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { listReferrers, pushReferrer } from '../../support/referrers.ts';
import { type ReferrersRegistry, startReferrersRegistry } from '../../support/referrers-registry.ts';
import { connect } from '../../support/registry-target.ts';

const REPOSITORY = 'team/app';
const SUBJECT = sha256('an image');
const LIST = /\/referrers\//;

describe('a registry that lists referrers', () => {
  let registry: ReferrersRegistry;

  before(async () => {
    registry = await startReferrersRegistry();
  });
  after(() => registry[Symbol.asyncDispose]());
  afterEach(() => Object.assign(registry.manner, { tellsSubject: true, pageSize: 1000 }));

  test('gets no index of its own at the fallback tag, said or unsaid', async () => {
    await using target = connect(registry.url);
    await pushReferrer(target, REPOSITORY, SUBJECT, 'said');
    const asked = registry.requests.filter((line) => LIST.test(line)).length;
    assert.equal(asked, 0);
    registry.manner.tellsSubject = false;
    await pushReferrer(target, REPOSITORY, SUBJECT, 'unsaid');
    assert.equal((await listReferrers(target, REPOSITORY, SUBJECT)).length, 2);
    assert.equal(registry.store.manifest(REPOSITORY, digestTag(SUBJECT)), undefined);
    assert.equal((await target.capabilities(REPOSITORY)).referrers, 'api');
  });

  test('is read page by page, in its order', async () => {
    await using target = connect(registry.url);
    const subject = sha256('many pages');
    const pushed = [];
    for (let at = 0; at < 5; at++) pushed.push((await pushReferrer(target, REPOSITORY, subject, `${at}`)).digest);
    registry.manner.pageSize = 2;
    assert.deepEqual(
      (await listReferrers(target, REPOSITORY, subject)).map(({ digest }) => digest),
      pushed,
    );
  });
});

describe('answers to a list of referrers', () => {
  let registry: FakeRegistry;

  before(async () => {
    registry = await startFakeRegistry();
  });
  after(() => registry.stop());

  const list = async () => {
    await using target = connect(registry.url, { limits: { referrerPages: 20 } });
    return await listReferrers(target, REPOSITORY, SUBJECT);
  };
  const answer = (
    body: unknown,
    headers: Readonly<Record<string, string>> | ((path: string) => Readonly<Record<string, string>>) = {},
  ) => {
    registry.misbehave(LIST, (request, response) => {
      const more = typeof headers === 'function' ? headers(request.url ?? '') : headers;
      send(response, 200, body, { 'content-type': OCI_INDEX, ...more });
      return undefined;
    });
  };

  test('without the API, the fallback tag is read: 400, 404, 406, and 200 with another type', async () => {
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry('by the tag')] };
    registry.addManifest(digestTag(SUBJECT), Buffer.from(JSON.stringify(index)), OCI_INDEX);
    for (const status of [400, 404, 406]) {
      registry.fail(LIST, status);
      assert.deepEqual(await list(), [entry('by the tag')], `${status}`);
    }
    answer('<html>', { 'content-type': 'text/html' });
    assert.deepEqual(await list(), [entry('by the tag')]);
    answer(
      { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] },
      { 'content-type': `${OCI_INDEX}; charset=utf-8` },
    );
    assert.deepEqual(await list(), []);
  });

  test('403 and 5xx are failures, never a reason to read the fallback tag', async () => {
    const asked = registry.requests.length;
    registry.fail(LIST, 403, {}, 'DENIED');
    await assert.rejects(list(), { code: 'registry-forbidden' });
    for (const status of [500, 502, 503]) {
      registry.fail(LIST, status);
      await assert.rejects(list(), { code: 'registry-unavailable' }, `${status}`);
    }
    registry.fail(LIST, 429, { 'retry-after': '7' });
    await assert.rejects(list(), { code: 'registry-throttled', retryAfterMs: 7000 });
    registry.fail(LIST, 401);
    await assert.rejects(list(), { code: 'registry-unauthorized' });
    assert.deepEqual(
      registry.requests.slice(asked).filter((line) => !LIST.test(line)),
      [],
    );
  });

  test('a later page that is gone is a failure, not the end of the list', async () => {
    answer({ manifests: [entry('a')] }, (path) => ({ link: `<${path.split('?')[0]}?page=2>; rel="next"` }));
    registry.misbehave(/page=2/, (_, response) => {
      send(response, 404, { errors: [] }, {});
      return undefined;
    });
    await assert.rejects(list(), { code: 'registry-protocol' });
    registry.fail(/page=2/, 503);
    await assert.rejects(list(), { code: 'registry-unavailable' });
  });

  test('pages that do not end are given up', async () => {
    let page = 0;
    answer({ manifests: [] }, (path) => ({ link: `<${path.split('?')[0]}?page=${page++}>; rel="next"` }));
    await assert.rejects(list(), { code: 'registry-protocol', message: /do not end/ });
    assert.equal(page, 20);
    answer({ manifests: [] }, (path) => ({ link: `<${path}>; rel="next"` }));
    await assert.rejects(list(), { code: 'registry-protocol', message: /do not end/ });
  });

  test('a next page on another host, or of another list, is not followed', async () => {
    await using elsewhere = await startFakeRegistry();
    const path = `/v2/${REPOSITORY}/referrers/${SUBJECT}?page=2`;
    for (const link of [`http://${elsewhere.host}${path}`, `//${elsewhere.host}${path}`, '/v2/team/other/tags/list']) {
      answer({ manifests: [] }, { link: `<${link}>; rel="next"` });
      await assert.rejects(list(), { code: 'registry-protocol', message: /not on this list/ }, link);
    }
    assert.deepEqual(elsewhere.requests, []);
  });

  test('too many referrers are an error, on one page or on many', async () => {
    const many = (count: number, page: number) => Array.from({ length: count }, (_, at) => entry(`${page} ${at}`));
    answer({ manifests: many(1001, 0) });
    await assert.rejects(list(), { code: 'too-large', message: /more than 1000/ });
    let page = 0;
    registry.misbehave(LIST, (request, response) => {
      const path = (request.url ?? '').split('?')[0];
      const headers = { 'content-type': OCI_INDEX, link: `<${path}?page=${page}>; rel="next"` };
      send(response, 200, { manifests: many(400, page++) }, headers);
      return undefined;
    });
    await assert.rejects(list(), { code: 'too-large', message: /more than 1000/ });
    assert.equal(page, 3);
  });

  test('a page without end is cut off', async () => {
    registry.misbehave(LIST, (_, response) => {
      response.writeHead(200, { 'content-type': OCI_INDEX });
      const filler = Buffer.alloc(1 << 20, 0x20);
      const write = () => {
        while (!response.destroyed && response.write(filler));
      };
      response.on('drain', write);
      write();
      return undefined;
    });
    await assert.rejects(list(), { code: 'too-large' });
  });

  test('a list that is none is an error; an entry that is none is left out', async () => {
    for (const body of ['no json', [], { manifests: {} }, { manifests: 'x' }, {}]) {
      answer(body);
      await assert.rejects(list(), { code: 'manifest-malformed' }, JSON.stringify(body));
    }
    answer(`{"manifests":[],"manifests":[${JSON.stringify(entry('hidden'))}]}`);
    await assert.rejects(list(), { code: 'manifest-malformed', message: /twice/ });
    answer({ manifests: [null, 3, { digest: 'x' }, entry('good'), { ...entry('bad size'), size: -1 }] });
    assert.deepEqual(await list(), [entry('good')]);
    answer({ manifests: null });
    assert.deepEqual(await list(), []);
  });

  test('a fallback tag with other bytes than its digest says is an error', async () => {
    registry.fail(LIST, 404);
    registry.misbehave(/\/manifests\/sha256-/, (_, response) => {
      send(response, 200, { manifests: [] }, { 'content-type': OCI_INDEX, 'docker-content-digest': sha256('other') });
      return undefined;
    });
    await assert.rejects(list(), { code: 'digest-mismatch' });
  });
});

function entry(name: string) {
  return { mediaType: OCI_MANIFEST, digest: sha256(name), size: 10 };
}

function send(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>>) {
  response.writeHead(status, headers);
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
