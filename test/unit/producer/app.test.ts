import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { apiSource, bearersOf } from '#producer/intake/api-source.ts';
import { mountSource } from '#producer/intake/source.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';
import { createTestProducer, secretsFrom } from '../../support/producer.ts';

const registries = [{ id: 'main', name: 'registry.example.com', hosts: ['localhost:5000'] }];
const resolve = secretsFrom({ HOOK: 'hook-secret', CI: 'ci-secret' });
const hub = mountSource(
  {
    id: 'hub',
    sender: 'distribution',
    registries: ['main'],
    auth: { kind: 'bearer', secrets: ['env:HOOK'] },
    digestOnly: 'skip',
    attestationTagSuffixes: [],
    ignoreActors: [],
    ratePerHour: 100,
  },
  registries,
  resolve,
);
const api = apiSource(bearersOf([{ name: 'ci', secrets: ['env:CI'] }], 'producer.api.tokens', resolve), registries);
const image = { image: `localhost:5000/team/app@sha256:${'a'.repeat(64)}` };

function setUp(parts: Partial<Parameters<typeof createTestProducer>[0]> = {}) {
  const memory = createIntakeMemory();
  return { ...memory, ...createTestProducer({ ports: memory.ports, sources: [hub], api, ...parts }) };
}

describe('producer app', () => {
  test('POST /v1/images: 202 with the job, under the configured name, and who asked', async () => {
    const { app, jobs } = setUp();
    const response = await app.inject({
      method: 'POST',
      url: '/v1/images',
      headers: {
        authorization: 'Bearer ci-secret',
        traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
      },
      payload: image,
    });
    assert.equal(response.statusCode, 202);
    const name = `registry.example.com/team/app@sha256:${'a'.repeat(64)}`;
    assert.deepEqual(response.json(), { results: [{ from: 'body', status: 'queued', job: '1', image: name }] });
    const job = jobs[0]?.job;
    assert.deepEqual([job?.actor, job?.source, job?.cause], ['ci', 'api', 'api']);
    assert.match(job?.traceparent ?? '', /^00-1{32}-/);
  });

  test('a wrong credential and an unknown source are refused alike, whatever the body', async () => {
    const { app, jobs } = setUp();
    for (const payload of ['', 'x', JSON.stringify({ events: [] }), 'y'.repeat(MAX_BODY_BYTES + 1)]) {
      for (const [url, status] of [
        ['/hooks/hub', 401],
        ['/hooks/other', 404],
        ['/v1/images', 401],
        ['/nothing', 404],
      ] as const) {
        const headers = { authorization: 'Bearer ci-secret-no', 'content-type': 'text/plain' };
        const response = await app.inject({ method: 'POST', url, headers, payload });
        assert.equal(response.statusCode, status, url);
      }
    }
    assert.equal(jobs.length, 0);
  });

  test('every answer has the headers of a careful server, and none has a stack', async () => {
    const { app, lines } = setUp({
      metrics: async () => {
        throw new Error('secret detail at /somewhere/file.ts');
      },
    });
    for (const url of ['/livez', '/metrics', '/none']) {
      const { headers, body } = await app.inject({ url });
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.match(String(headers['content-security-policy']), /default-src 'none'/);
      assert.match(String(headers['x-request-id']), /^request-\d+$/);
      assert.ok(!body.includes('secret detail'));
    }
    assert.ok(lines.some((line) => line.includes('secret detail')));
  });

  test('the access log names routes, never addresses, queries or credentials', async () => {
    const { app, lines } = setUp();
    await app.inject({
      method: 'POST',
      url: '/hooks/capability-url?token=query-secret',
      headers: { 'x-request-id': 'a\nb' },
    });
    await app.inject({ method: 'POST', url: '/hooks/hub', headers: { authorization: 'Bearer guess' } });
    await app.inject({ url: '/secret-path' });
    const log = lines.join('\n');
    for (const secret of ['capability-url', 'query-secret', 'guess', 'secret-path', 'hook-secret']) {
      assert.ok(!log.includes(secret), secret);
    }
    assert.ok(log.includes('"route":"/hooks/:source"'));
  });

  test('control characters in names never reach the log', async () => {
    const { app, lines } = setUp();
    const target = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      repository: 'team/app\r\nFORGED',
      digest: `sha256:${'a'.repeat(64)}`,
    };
    const headers = { authorization: 'Bearer hook-secret' };
    await app.inject({ method: 'POST', url: '/hooks/hub', headers, payload: { events: [{ action: 'push', target }] } });
    const line = lines.find((one) => one.includes('FORGED'));
    assert.ok(line?.includes('team/appFORGED'));
  });

  test('readiness names the check that fails and hides why', async () => {
    const { app } = setUp({
      checks: [
        { name: 'redis', check: async () => {} },
        {
          name: 'queue',
          check: async () => {
            throw new AppError('redis-unavailable', 'secret-host is away');
          },
        },
      ],
    });
    const response = await app.inject({ url: '/readyz' });
    assert.equal(response.statusCode, 503);
    assert.deepEqual(response.json().checks, [
      { name: 'redis', ok: true },
      { name: 'queue', ok: false },
    ]);
    assert.ok(!response.body.includes('secret-host'));
    assert.equal((await app.inject({ url: '/livez' })).statusCode, 200);
  });

  test('without tokens there is no API, and without operators no routes of theirs', async () => {
    const memory = createIntakeMemory();
    const { app } = createTestProducer({ ports: memory.ports });
    for (const [method, url] of [
      ['POST', '/v1/images'],
      ['POST', '/v1/reverify'],
      ['GET', '/v1/dead-letters'],
    ] as const) {
      assert.equal((await app.inject({ method, url, payload: method === 'POST' ? {} : '' })).statusCode, 404);
    }
  });

  test('over a socket: an oversized body of unknown length is answered and the connection closed', async () => {
    const { app, jobs } = setUp();
    await app.listen({ host: '127.0.0.1', port: 0 });
    try {
      const { port } = app.server.address() as AddressInfo;
      const { status, connection } = await new Promise<{ status?: number; connection?: string }>((done, fail) => {
        const sending = request({
          port,
          method: 'POST',
          path: '/v1/images',
          headers: { authorization: 'Bearer ci-secret' },
        });
        sending.on('error', fail);
        sending.on('response', (response) => {
          response.resume();
          const { statusCode, headers } = response;
          done({
            ...(statusCode ? { status: statusCode } : {}),
            ...(headers.connection ? { connection: headers.connection } : {}),
          });
        });
        for (let mebibytes = 0; mebibytes < 3; mebibytes++) sending.write(Buffer.alloc(1024 * 1024, 'x'));
        sending.end();
      });
      assert.deepEqual([status, connection], [400, 'close']);
      assert.equal(jobs.length, 0);
    } finally {
      await app.close();
    }
  });
});
