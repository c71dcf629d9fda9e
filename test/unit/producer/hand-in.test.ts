import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { MAX_HAND_IN_BODY_BYTES } from '#producer/admin/hand-in.ts';
import { TEST_RESULT_SAMPLE } from '../../support/given-predicates.ts';
import {
  DIGEST,
  foreignProvenance,
  IMAGE,
  NAME,
  openVex,
  predicate,
  setUpHandIn,
  statementOf,
  TYPE,
  twoSubjects,
} from '../../support/hand-in.ts';
import { createMemoryHandedIn } from '../../support/handed-in-memory.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';
import { createTestProducer } from '../../support/producer.ts';

describe('POST /v1/attestations', () => {
  it('keeps the statement, then enqueues its job, then answers', async () => {
    const { post, order, jobs, memory, refused } = setUpHandIn();
    const { status, body } = await post(predicate());
    assert.equal(status, 202, JSON.stringify(body));
    assert.deepEqual(order, ['room', 'kept', 'enqueued']);
    assert.deepEqual(body.job, { id: '1', state: 'queued' });
    assert.deepEqual(refused, []);
    const [id = ''] = await memory.list(NAME);
    const kept = await memory.get(NAME, id);
    assert.equal(body.statement, sha256(Buffer.from(kept?.statement ?? '', 'base64')));
    assert.deepEqual([kept?.predicateType, kept?.source, kept?.actor, kept?.image.tag], [TYPE, 'api', 'ci', 'v1']);
    const [job] = jobs;
    assert.deepEqual([job?.kind, job?.actor, job?.image.digest, job?.cause], ['sign', 'ci', DIGEST, 'api']);
  });

  it('keeps a whole statement byte for byte, and knows the registry by any of its names', async () => {
    const { post, memory } = setUpHandIn();
    const statement = statementOf(DIGEST);
    const { status } = await post({ image: `localhost:5000/team/app@${DIGEST}`, statement });
    assert.equal(status, 202);
    const [id = ''] = await memory.list(NAME);
    assert.equal((await memory.get(NAME, id))?.statement, statement);
  });

  it('lets the signer be named where a rule names several', async () => {
    const { post, memory } = setUpHandIn();
    const request = { image: IMAGE, type: 'https://example.com/review/v1', predicate: { by: 'me' } };
    assert.equal((await post({ ...request, signer: 'audits' })).status, 202);
    const [id = ''] = await memory.list(NAME);
    assert.equal((await memory.get(NAME, id))?.signer, 'audits');
    const refused = await post({ ...request, signer: 'tests' });
    assert.deepEqual([refused.status, refused.body.reason], [403, 'signer']);
    assert.match(refused.body.message, /reviews or audits/);
  });

  for (const [what, request, reason, message, token] of [
    [
      'a type that the rule does not name',
      predicate({ type: 'openvex', predicate: openVex() }),
      'type',
      /not named by rule team/,
      undefined,
    ],
    [
      'a type that is made here',
      predicate({ type: 'cyclonedx', predicate: { bomFormat: 'CycloneDX', specVersion: '1.6' } }),
      'type',
      /made here/,
      undefined,
    ],
    ['another signer', predicate({ signer: 'release' }), 'signer', /release is not tests/, undefined],
    ['an actor whom the rule does not name', predicate(), 'actor', /dev is not ci/, 'dev-secret'],
    [
      'an image without a rule',
      predicate({ image: `registry.example.com/other/app@${DIGEST}` }),
      'rule',
      /./,
      undefined,
    ],
    [
      'an image of a tag that no rule names',
      predicate({ image: `registry.example.com/tagged/app:dev@${DIGEST}` }),
      'rule',
      /tag dev is not v\*|repository/,
      undefined,
    ],
    [
      'a statement about another image',
      { image: IMAGE, statement: statementOf(sha256('another')) },
      'statement',
      /about sha256:/,
      undefined,
    ],
    [
      'a statement about another image too',
      { image: IMAGE, statement: twoSubjects() },
      'statement',
      /another image/,
      undefined,
    ],
    [
      'a statement of another type than told',
      { image: IMAGE, type: 'openvex', statement: statementOf(DIGEST) },
      'statement',
      /not https:\/\/openvex/,
      undefined,
    ],
    [
      'a predicate of another form',
      predicate({ predicate: { result: 'PASSED' } }),
      'statement',
      /predicate\.configuration is missing; see/,
      undefined,
    ],
    [
      'provenance',
      predicate({ type: 'slsaprovenance1', predicate: foreignProvenance() }),
      'type',
      /not named|made here/,
      undefined,
    ],
  ] as const) {
    it(`refuses ${what}, counts it, and enqueues nothing`, async () => {
      const { post, refused, order } = setUpHandIn();
      const { status, body } = await post(request, token);
      assert.equal(status, reason === 'statement' ? 422 : 403, JSON.stringify(body));
      assert.equal(body.reason, reason);
      assert.match(body.message, message);
      assert.deepEqual(order, []);
      assert.equal(refused.length, 1);
      assert.equal(refused[0]?.reason, reason);
      assert.equal(refused[0]?.job.kind, 'sign');
    });
  }

  it('counts a registry that is not configured among what the rules do not allow', async () => {
    for (const image of [`elsewhere.example/team/app@${DIGEST}`, 'elsewhere.example/team/app:v1']) {
      const { post, refused, order } = setUpHandIn();
      const { status, body } = await post(predicate({ image }));
      assert.deepEqual([status, body.reason], [422, 'host-not-allowed']);
      assert.deepEqual(order, []);
      assert.deepEqual(
        refused.map(({ reason, rule, why }) => [reason, rule, why]),
        [['rule', '(none)', 'the registry elsewhere.example is not configured']],
      );
      assert.match(refused[0]?.image ?? '', /^elsewhere\.example\/team\/app/);
      assert.deepEqual([refused[0]?.job.source, refused[0]?.job.actor], ['api', 'ci']);
    }
  });

  it('takes only so much of one caller, and says when there is room again', async () => {
    const spent: (readonly [string, number])[] = [];
    const { post, jobs, memory } = setUpHandIn({
      spend: async (caller, bytes) => {
        spent.push([caller, bytes]);
        if (spent.length > 1) {
          throw new AppError('handed-in-full', 'too much', { mend: 'send it again later', retryAfterMs: 90_000 });
        }
      },
    });
    assert.equal((await post(predicate())).status, 202);
    const { status, headers, body } = await post(predicate());
    assert.deepEqual([status, headers['retry-after'], body.reason], [429, '90', 'handed-in-full']);
    assert.equal(body.message, 'too much; send it again later');
    assert.deepEqual([jobs.length, (await memory.list(NAME)).length], [1, 1]);
    assert.equal(spent[0]?.[0], 'ci');
    assert.ok((spent[0]?.[1] ?? 0) > 100);
  });

  for (const [what, body, status, message] of [
    ['a member twice', `{"image":"${IMAGE}","image":"${IMAGE}"}`, 400, /"image" occurs twice/],
    ['a list', '[]', 422, /send an object/],
    ['an unknown member', predicate({ signers: 'x' }), 422, /send an object/],
    ['a number for the image', predicate({ image: 7 }), 422, /`image`/],
    ['neither predicate nor statement', { image: IMAGE, type: 'openvex' }, 422, /either `type` and `predicate`/],
    ['both', predicate({ statement: statementOf(DIGEST) }), 422, /either/],
    ['a predicate without type', { image: IMAGE, predicate: {} }, 422, /either/],
    ['a type that is none', predicate({ type: 'test result' }), 422, /`type` is neither/],
    ['a statement that is no base64', { image: IMAGE, statement: '{"_type": 1}' }, 422, /base64/],
    ['an image without digest', predicate({ image: 'registry.example.com/team/app:v1' }), 422, /no sha256 digest/],
    ['an image without registry', predicate({ image: `team/app@${DIGEST}` }), 422, /no registry/],
    [
      'a registry that is not configured',
      predicate({ image: `elsewhere.example/team/app@${DIGEST}` }),
      422,
      /not configured/,
    ],
    ['an image that is none', predicate({ image: `registry.example.com/Team@${DIGEST}` }), 422, /lower case/],
  ] as const) {
    it(`answers ${status} to ${what}, with the mend`, async () => {
      const { post, order } = setUpHandIn();
      const answer = await post(body);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.match(answer.body.message, message);
      assert.deepEqual(order, []);
    });
  }

  it('wants a token before it reads a body', async () => {
    const { app, order } = setUpHandIn();
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const payload = Buffer.alloc(2 * 1024 * 1024);
      const answer = await app.inject({ method: 'POST', url: '/v1/attestations', headers, payload });
      assert.equal(answer.statusCode, 401);
      assert.equal(answer.headers['www-authenticate'], 'Bearer');
    }
    assert.deepEqual(order, []);
  });

  it('takes more than a delivery may have, and no more than its own limit', async () => {
    const { post } = setUpHandIn();
    const passedTests = Array.from({ length: 60_000 }, (_, at) => `a test with the number ${at}`);
    assert.equal((await post(predicate({ predicate: { ...TEST_RESULT_SAMPLE, passedTests } }))).status, 202);
    assert.equal((await post(Buffer.alloc(MAX_HAND_IN_BODY_BYTES + 1, 0x20))).status, 413);
    const large = 'x'.repeat(4 * 1024 * 1024);
    const answer = await post(predicate({ predicate: { ...TEST_RESULT_SAMPLE, large } }));
    assert.deepEqual([answer.status, answer.body.reason], [422, 'statement']);
  });

  it('promises nothing when Redis does not take it', async () => {
    for (const [code, status] of [
      ['redis-unavailable', 503],
      ['handed-in-full', 429],
    ] as const) {
      const memory = createMemoryHandedIn();
      const put = () => Promise.reject(new AppError(code, 'no room', { retryAfterMs: 10_000 }));
      const { post, jobs } = setUpHandIn({ store: { ...memory, put } });
      assert.equal((await post(predicate())).status, status);
      assert.deepEqual(jobs, []);
    }
  });

  it('is not there without tokens', async () => {
    const { app } = createTestProducer({ ports: createIntakeMemory().ports });
    assert.equal((await app.inject({ method: 'POST', url: '/v1/attestations', payload: '{}' })).statusCode, 404);
  });
});
