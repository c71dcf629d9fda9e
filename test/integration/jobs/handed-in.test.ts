import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DoneReport, JobReport } from '#jobs/job-report.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import type { HandedIn } from '#model/handed-in.ts';
import type { EvidenceRule, Rule } from '#model/rule.ts';
import { attachedDigests, overwriteAttached, readAttached, readStatementOf } from '../../support/attachments.ts';
import { OPENVEX_SAMPLE, TEST_RESULT_SAMPLE } from '../../support/given-predicates.ts';
import { type About, handedInPredicate, handedInStatement } from '../../support/handed-in.ts';
import { NOW, REGISTRY } from '../../support/installation.ts';
import { provenanceRule } from '../../support/job-ports.ts';
import { imageJob } from '../../support/jobs.ts';
import { keySigner } from '../../support/layout-ground.ts';
import { type RedisJobs, redisJobs } from '../../support/redis-jobs.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { type JobGround, openJobGround, signer, typesOf } from '../../support/watched-image.ts';

const TESTS = 'https://in-toto.io/attestation/test-result/v0.1';
const VEX = 'https://openvex.dev/ns';

let ground: JobGround;

before(async () => {
  ground = await openJobGround();
});
after(() => ground.close());

function entry(type: 'test-result' | 'openvex', more: Partial<EvidenceRule> = {}): EvidenceRule {
  const predicateType = type === 'openvex' ? VEX : TESTS;
  return { type, predicateType, layout: 'cosign-tag', signer: signer.id, platforms: false, ...more };
}

interface Handed {
  readonly image: About;
  readonly name: string;
  readonly jobs: RedisJobs;
  hand(handedIn: HandedIn): Promise<string>;
  sign(): Promise<readonly DoneReport[]>;
  predicates(): Promise<readonly unknown[]>;
}

/** A pushed image whose rule lets test results and VEX be handed in, and the jobs of its worker. */
async function handed(what: string, rule: Partial<Rule> = {}, signers = [signer]): Promise<Handed> {
  const repository = `handed/${what}`;
  const digest = await push(ground.client, repository, 'v1', await smallImage(what));
  const evidence = [entry('test-result'), entry('openvex', { replace: false })];
  const rules = [provenanceRule('all', signer.id, { evidence, ...rule })];
  const jobs = redisJobs({ store: ground.store, prefix: what, target: ground.client, rules, signers });
  const image = { registry: REGISTRY, repository, digest };
  const name = `${REGISTRY}/${repository}@${digest}`;
  return {
    image,
    name,
    jobs,
    hand: (handedIn) => jobs.ports.handedIn.put(name, handedIn),
    sign: async () => doneAll(await jobs.run(imageJob(what, { kind: 'sign', cause: 'api', source: 'api', image }))),
    async predicates() {
      const { layers } = await readAttached(ground.client, repository, digest);
      const read = layers.map((layer) => readStatementOf(ground.client, repository, layer));
      return (await Promise.all(read)).map(({ statement }) => statement.predicate);
    },
  };
}

function doneAll(reports: readonly JobReport[]): readonly DoneReport[] {
  return reports.map((report) => {
    assert.ok(report.outcome === 'done');
    return report;
  });
}

const states = (reports: readonly DoneReport[]) =>
  reports.flatMap(({ evidence }) => evidence.map(({ state }) => state));
const refusals = (reports: readonly DoneReport[]) => reports.map(({ refused }) => refused?.reason);

describe('a job that signs what was handed in', () => {
  test('attaches it as it is, tells, forgets it, and has nothing to do after that', async () => {
    const { image, name, jobs, hand, sign, predicates } = await handed('first');
    await hand(handedInPredicate(image, TESTS, TEST_RESULT_SAMPLE));
    await hand(handedInPredicate(image, VEX, OPENVEX_SAMPLE));
    assert.deepEqual(states(await sign()), ['created', 'created']);
    assert.deepEqual(new Set(await predicates()), new Set([TEST_RESULT_SAMPLE, OPENVEX_SAMPLE]));
    assert.deepEqual(await jobs.ports.handedIn.list(name), []);
    assert.deepEqual(typesOf(await jobs.relay()).filter((type) => type === 'evidence.attached').length, 2);
    assert.deepEqual(await sign(), []);
  });

  test('a whole statement keeps its bytes', async () => {
    const { image, hand, sign } = await handed('bytes');
    const payload = Buffer.from(
      `${JSON.stringify(
        {
          subject: [{ digest: { sha256: image.digest.slice(7) }, name: 'as they call it' }],
          _type: 'https://in-toto.io/Statement/v0.1',
          predicateType: TESTS,
          predicate: TEST_RESULT_SAMPLE,
        },
        null,
        4,
      )}\n`,
    );
    await hand(handedInStatement(image, TESTS, payload));
    assert.deepEqual(states(await sign()), ['created']);
    const { layers } = await readAttached(ground.client, image.repository, image.digest);
    const [read] = await Promise.all(layers.map((layer) => readStatementOf(ground.client, image.repository, layer)));
    assert.deepEqual(read?.payload, payload);
  });

  test('the same again is present; a later one takes the place of an earlier one where the rule says so', async () => {
    const { image, hand, sign, predicates } = await handed('again');
    await hand(handedInPredicate(image, TESTS, TEST_RESULT_SAMPLE));
    await sign();
    await hand(handedInPredicate(image, TESTS, TEST_RESULT_SAMPLE));
    assert.deepEqual(states(await sign()), ['present']);
    const failed = { ...TEST_RESULT_SAMPLE, result: 'FAILED' };
    await hand(handedInPredicate(image, TESTS, failed));
    assert.deepEqual(states(await sign()), ['replaced']);
    assert.deepEqual(await predicates(), [failed]);
    for (const version of [1, 2]) {
      await hand(handedInPredicate(image, VEX, { ...OPENVEX_SAMPLE, version }));
      assert.deepEqual(states(await sign()), ['created']);
    }
    assert.equal((await predicates()).length, 3);
  });

  test('what another writer destroyed is listed again by the next push, and never made anew', async () => {
    const { image, jobs, hand, sign } = await handed('destroyed');
    await hand(handedInPredicate(image, TESTS, TEST_RESULT_SAMPLE));
    await sign();
    const attached = await attachedDigests(ground.client, image.repository, image.digest);
    await overwriteAttached(ground.client, image.repository, image.digest, []);
    const again = doneAll(await jobs.run(imageJob('destroyed', { image: { ...image, tag: 'v1' } })));
    assert.deepEqual(states(again), ['restored']);
    assert.deepEqual(refusals(again), [undefined]);
    assert.deepEqual(await attachedDigests(ground.client, image.repository, image.digest), attached);
  });

  for (const [what, rule, change, reason] of [
    ['a type that the rule does not name', {}, () => ({ predicateType: 'https://example.com/other/v1' }), 'type'],
    ['another signer', {}, () => ({ signer: 'somebody' }), 'signer'],
    ['another actor', { when: { actor: ['release'] } }, () => ({}), 'actor'],
    ['no actor', { when: { actor: ['ci'] } }, () => ({ actor: undefined }), 'actor'],
    ['another source', { when: { source: ['registry'] } }, () => ({}), 'source'],
    ['no tag', { when: { tag: ['v*'] } }, () => ({}), 'tag'],
    ['a rule of other images', { match: { repository: ['other/**'] } }, () => ({}), 'rule'],
  ] as const) {
    test(`${what} is refused, told once, and forgotten`, async () => {
      const { image, name, jobs, hand, sign } = await handed(`refused-${reason}-${what.length}`, rule);
      await hand({ ...handedInPredicate(image, TESTS, TEST_RESULT_SAMPLE), ...change() } as HandedIn);
      const reports = await sign();
      assert.deepEqual(refusals(reports), [reason]);
      assert.deepEqual(states(reports), []);
      await assert.rejects(readAttached(ground.client, image.repository, image.digest), { code: 'not-found' });
      const [event, ...more] = await jobs.relay();
      assert.equal(more.length, 0);
      assert.equal(event?.type, 'dev.attestry.signing.refused.v1');
      assert.match(JSON.stringify(event), new RegExp(`"reason":"${reason}"`));
      assert.deepEqual(await jobs.ports.handedIn.list(name), []);
    });
  }

  test('a statement about another image is refused here too, whoever put it into Redis', async () => {
    const { image, hand, sign } = await handed('foreign');
    const foreign = { ...image, digest: sha256('another image') };
    const { statement } = handedInPredicate(foreign, TESTS, TEST_RESULT_SAMPLE);
    await hand(handedInStatement(image, TESTS, Buffer.from(statement, 'base64')));
    const other = handedInPredicate(image, VEX, OPENVEX_SAMPLE);
    await hand({ ...other, predicateType: TESTS });
    await hand(handedInStatement(image, TESTS, Buffer.from('no JSON')));
    assert.deepEqual(refusals(await sign()), ['statement', 'statement', 'statement']);
    await assert.rejects(readAttached(ground.client, image.repository, image.digest), { code: 'not-found' });
  });

  test('a tag counts when the registry says the same, and is waited for a while', async () => {
    const { image, name, jobs, hand, sign } = await handed('tags', { when: { tag: ['v*'] } });
    await hand(handedInPredicate({ ...image, tag: 'v1' }, TESTS, TEST_RESULT_SAMPLE));
    assert.deepEqual(states(await sign()), ['created']);
    const receivedAt = NOW.toISOString();
    await hand(handedInPredicate({ ...image, tag: 'v2' }, VEX, OPENVEX_SAMPLE, { receivedAt }));
    await assert.rejects(sign(), { code: 'not-found' });
    assert.equal((await jobs.ports.handedIn.list(name)).length, 1);
    jobs.pass(120_000);
    assert.deepEqual(refusals(await sign()), ['tag']);
  });

  test('what one signer signed stays when another signer of the rule is asked for the same type', async () => {
    const second = keySigner('second');
    const evidence = [entry('test-result'), entry('test-result', { signer: second.id })];
    const { image, hand, sign } = await handed('two-signers', { evidence }, [signer, second]);
    for (const { id } of [signer, second, signer]) {
      await hand({ ...handedInPredicate(image, TESTS, TEST_RESULT_SAMPLE), signer: id });
      await sign();
    }
    assert.equal((await attachedDigests(ground.client, image.repository, image.digest)).length, 2);
  });

  test('one that cannot be signed now keeps no other one waiting, and stays', async () => {
    const { image, name, jobs, hand, sign } = await handed('waiting');
    const receivedAt = NOW.toISOString();
    await hand(handedInPredicate({ ...image, tag: 'v9' }, TESTS, TEST_RESULT_SAMPLE, { receivedAt }));
    const kept = await jobs.ports.handedIn.list(name);
    await hand(handedInPredicate(image, VEX, OPENVEX_SAMPLE));
    await assert.rejects(sign(), { code: 'not-found' });
    assert.deepEqual(await jobs.ports.handedIn.list(name), kept);
    const digests: readonly Digest[] = await attachedDigests(ground.client, image.repository, image.digest);
    assert.equal(digests.length, 1);
  });
});
