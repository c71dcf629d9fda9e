import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMemoryLedger } from '#ledger/memory-ledger.ts';
import type { ImageJob } from '#model/job.ts';
import { bearersOf } from '#producer/intake/api-source.ts';
import { bindRegistries } from '#producer/intake/source.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';
import { createTestProducer, secretsFrom } from '../../support/producer.ts';
import { IMAGE, verdictOf } from '../../support/verdict.ts';

const POLICY = 'file:check-image.yaml';
const OPERATOR = { authorization: 'Bearer ops-secret' };

async function setUp() {
  const ledger = createMemoryLedger();
  const at = new Date('2026-03-01T00:00:00Z');
  const nextDue = new Date('2026-04-01T00:00:00Z');
  for (const outcome of ['pass', 'fail'] as const) {
    await ledger.record({ image: IMAGE, verdict: verdictOf(outcome), at, nextDue });
  }
  const jobs: ImageJob[] = [];
  const replayed: string[] = [];
  const registries = [{ id: 'main', name: 'registry.example.com', hosts: ['localhost:5000'] }];
  const { app } = createTestProducer({
    ports: createIntakeMemory().ports,
    operators: bearersOf([{ name: 'ops', secrets: ['env:OPS'] }], 'operators', secretsFrom({ OPS: 'ops-secret' })),
    admin: {
      ledger,
      queue: {
        enqueueImage: async (_lane, job) => ({ id: String(jobs.push(job)), state: 'queued' }),
      },
      deadLetters: {
        list: async ({ limit }) => [{ id: 'push-7', reason: 'not-found' }].slice(0, limit),
        replay: async (id) => id === 'push-7' && replayed.push(id) > 0,
      },
      ...bindRegistries(registries),
      policyUri: (name) => (name === 'check-image' || name === POLICY ? POLICY : undefined),
      now: () => new Date('2026-03-02T10:15:31Z'),
      traceparent: () => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
  });
  const get = (url: string) => app.inject({ url, headers: OPERATOR });
  const post = (url: string, payload: object | string = '') => {
    return app.inject({ method: 'POST', url, headers: OPERATOR, payload });
  };
  return { app, ledger, jobs, replayed, get, post };
}

describe('operators', () => {
  test('every route wants an operator', async () => {
    const { app, replayed } = await setUp();
    const routes = [
      ['GET', '/v1/images'],
      ['GET', `/v1/images/${IMAGE}`],
      ['POST', '/v1/reverify'],
      ['GET', '/v1/dead-letters'],
      ['POST', '/v1/dead-letters/push-7/replay'],
    ] as const;
    for (const [method, url] of routes) {
      for (const headers of [{}, { authorization: 'Bearer ci-secret' }]) {
        assert.equal((await app.inject({ method, url, headers })).statusCode, 401, url);
      }
    }
    assert.deepEqual(replayed, []);
  });

  test('the state of an image and its history, under any of its hosts, with or without a tag', async () => {
    const { get } = await setUp();
    const [, path] = IMAGE.split('registry.example.com/');
    for (const name of [IMAGE, `localhost:5000/${path?.replace('@', ':1.0@')}`, encodeURIComponent(IMAGE)]) {
      const response = await get(`/v1/images/${name}?limit=1`);
      assert.equal(response.statusCode, 200, name);
      const { image, states, history } = response.json();
      assert.equal(image, IMAGE);
      assert.deepEqual([states.length, states[0].verdict.outcome], [1, 'fail']);
      assert.deepEqual([history.length, history[0].change], [1, 'changed']);
    }
    assert.deepEqual((await get('/v1/images?limit=5')).json().images, [IMAGE]);
  });

  test('an image that lost a tag, and one that is gone and forgotten, are shown as that', async () => {
    const { get, ledger } = await setUp();
    const read = async () => (await get(`/v1/images/${IMAGE}`)).json();
    assert.deepEqual([(await read()).presence, (await read()).removals], ['present', []]);
    const untagged = {
      kind: 'untagged',
      tag: '1.0',
      at: '2026-03-02T10:00:00Z',
      learnedBy: 'push',
      source: 'hub',
    } as const;
    await ledger.noteRemoval(IMAGE, untagged);
    assert.deepEqual([(await read()).presence, (await read()).removals], ['untagged', [untagged]]);
    const deleted = {
      kind: 'deleted',
      at: '2026-03-03T10:00:00Z',
      learnedBy: 'event',
      source: 'hub',
      actor: 'ops',
    } as const;
    await ledger.noteRemoval(IMAGE, deleted);
    await ledger.forget(IMAGE, new Date('2100-01-01'));
    const { presence, removals, states } = await read();
    assert.deepEqual([presence, removals, states], ['deleted', [deleted, untagged], []]);
  });

  test('what is asked wrongly is told what to mend', async () => {
    const { get, post } = await setUp();
    const digest = `sha256:${'b'.repeat(64)}`;
    const answers = await Promise.all([
      get(`/v1/images/registry.example.com/other@${digest}`),
      get('/v1/images/registry.example.com/team/app'),
      get(`/v1/images/team/app@${digest}`),
      get(`/v1/images/evil.example/app@${digest}`),
      get('/v1/images/registry.example.com/UPPER:1'),
      get('/v1/images?limit=0'),
      get('/v1/dead-letters?limit=1e9'),
      post('/v1/reverify', { policy: 'other' }),
      post('/v1/reverify', { imgae: IMAGE }),
      post('/v1/reverify', 'no json'),
      post('/v1/dead-letters/push-8/replay'),
    ]);
    assert.deepEqual(
      answers.map((answer) => `${answer.statusCode} ${answer.json().reason}`),
      [
        '404 not-found',
        '422 missing-field',
        '422 missing-host',
        '422 host-not-allowed',
        '422 reference-invalid',
        '422 malformed',
        '422 malformed',
        '422 unknown-policy',
        '422 malformed',
        '422 malformed',
        '404 not-found',
      ],
    );
  });

  test('re-verification of one image is a job at once, and stays due until it ran', async () => {
    const { post, jobs, ledger } = await setUp();
    const response = await post('/v1/reverify', { image: IMAGE, policy: 'check-image' });
    assert.equal(response.statusCode, 202);
    assert.deepEqual(response.json(), { due: 1, job: { id: '1', state: 'queued' } });
    assert.deepEqual([jobs[0]?.kind, jobs[0]?.cause, jobs[0]?.image.repository], ['verify', 'demand', 'team/app']);
    assert.equal((await ledger.due(new Date('2026-03-02T11:00:00Z'), 10)).length, 1);
  });

  test('re-verification of everything, or of one policy, is left to the next wake-up', async () => {
    const { post, jobs } = await setUp();
    assert.deepEqual((await post('/v1/reverify')).json(), { due: 1 });
    assert.deepEqual((await post('/v1/reverify', { policy: POLICY })).json(), { due: 1 });
    assert.equal(jobs.length, 0);
  });

  test('dead letters are listed and replayed', async () => {
    const { get, post, replayed } = await setUp();
    assert.deepEqual((await get('/v1/dead-letters')).json(), { deadLetters: [{ id: 'push-7', reason: 'not-found' }] });
    assert.equal((await post('/v1/dead-letters/push-7/replay')).statusCode, 202);
    assert.deepEqual(replayed, ['push-7']);
  });
});
