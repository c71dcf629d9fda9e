import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { signerAttestor } from '#engine/signer-attestor.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import { CYCLONEDX, SLSA_PROVENANCE_V1, SLSA_PROVENANCE_V02 } from '#model/media-types.ts';
import type { Rule, When } from '#model/rule.ts';
import { overwriteAttached, signedAttachment } from '../../support/attachments.ts';
import { buildkitImage } from '../../support/buildkit-image.ts';
import { TEST_RESULT_SAMPLE } from '../../support/given-predicates.ts';
import { handedInPredicate } from '../../support/handed-in.ts';
import { NOW, REGISTRY, signerOf } from '../../support/installation.ts';
import { provenanceRule } from '../../support/job-ports.ts';
import { imageJob } from '../../support/jobs.ts';
import { makePki } from '../../support/pki.ts';
import { redisJobs } from '../../support/redis-jobs.ts';
import { push, smallImage, smallIndex } from '../../support/small-images.ts';
import { doneOf, type JobGround, openJobGround, signer, typesOf } from '../../support/watched-image.ts';
import { watchTarget } from '../../support/watched-target.ts';

const builder = signerOf(makePki(), 'builder');
const stranger = signerOf(makePki(), 'stranger');
const BUILDER = 'https://ci.example.com/acme/app/build@v1';
const WAIT_MS = 600_000;
const V1 = { buildDefinition: {}, runDetails: { builder: { id: BUILDER } } };
const TESTS = 'https://in-toto.io/attestation/test-result/v0.1';

let ground: JobGround;

before(async () => {
  ground = await openJobGround();
});
after(() => ground.close());

const WHEN: When = { builder: { trust: 'ci', builderId: ['https://ci.example.com/**'], wait: WAIT_MS } };

/** The jobs of a worker whose rule asks for provenance of the builder; time stands until it is passed. */
function jobsOf(name: string, repository: string, digest: Digest, rule: Partial<Rule> = {}) {
  const target = watchTarget(ground.client);
  const jobs = redisJobs({
    store: ground.store,
    prefix: name,
    target,
    rules: [provenanceRule('all', signer.id, { when: WHEN, ...rule })],
    signers: [signer],
    trusts: new Map([['ci', signerAttestor(builder)]]),
  });
  const image = { registry: REGISTRY, repository, digest };
  const job = imageJob(name, { image, receivedAt: NOW.toISOString() });
  return { ...jobs, target, image, job, attest: async () => doneOf(await jobs.run(job)) };
}

async function pushed(name: string) {
  const repository = `builder/${name}`;
  const digest = await push(ground.client, repository, '1.0', await smallImage(name));
  return { ...jobsOf(name, repository, digest), repository, digest };
}

describe('a rule that asks for provenance of a builder', () => {
  for (const [version, type, predicate] of [
    ['v1', SLSA_PROVENANCE_V1, V1],
    ['v0.2', SLSA_PROVENANCE_V02, { builder: { id: BUILDER } }],
  ] as const) {
    test(`signs an image that carries it, in ${version}`, async () => {
      const { repository, digest, attest } = await pushed(`has-${version}`);
      const theirs = await signedAttachment(builder, digest, type, predicate);
      await overwriteAttached(ground.client, repository, digest, [theirs]);
      const report = await attest();
      assert.equal(report.refused, undefined);
      assert.deepEqual(
        report.evidence.map(({ state }) => state),
        ['created'],
      );
    });
  }

  test('waits for it after a push, signs nothing meanwhile, and signs when it came', async () => {
    const { repository, digest, attest, target, relay, pass } = await pushed('comes');
    await assert.rejects(attest(), (error: { code?: string; retryAfterMs?: number }) => {
      assert.equal(error.code, 'builder-evidence-awaited');
      assert.equal(error.retryAfterMs, WAIT_MS / 20);
      return true;
    });
    pass(WAIT_MS - 1);
    await assert.rejects(attest(), { code: 'builder-evidence-awaited' });
    assert.deepEqual(target.puts, []);
    assert.deepEqual(await relay(), []);
    await overwriteAttached(ground.client, repository, digest, [
      await signedAttachment(builder, digest, SLSA_PROVENANCE_V1, V1),
    ]);
    assert.deepEqual(
      (await attest()).evidence.map(({ state }) => state),
      ['created'],
    );
  });

  for (const [what, theirs, why] of [
    ['none', async () => [], /no provenance of https:\/\/ci\.example\.com\/\*\* on sha256:.* holds under the trust ci/],
    [
      'that of somebody else',
      async (digest: Digest) => [await signedAttachment(stranger, digest, SLSA_PROVENANCE_V1, V1)],
      /no provenance/,
    ],
    [
      'that of another builder',
      async (digest: Digest) => {
        const predicate = { runDetails: { builder: { id: 'https://elsewhere.example/build' } } };
        return [await signedAttachment(builder, digest, SLSA_PROVENANCE_V1, predicate)];
      },
      /builder https:\/\/elsewhere\.example\/build is not https:\/\/ci/,
    ],
    [
      'that of another image',
      async () => [await signedAttachment(builder, sha256('another'), SLSA_PROVENANCE_V1, V1)],
      /no provenance/,
    ],
    [
      'another type',
      async (digest: Digest) => [await signedAttachment(builder, digest, CYCLONEDX, V1)],
      /no provenance/,
    ],
    [
      'only what was observed',
      async (digest: Digest) => {
        const predicate = { runDetails: { builder: { id: 'https://ci.example.com/builder/registry-observer/v1' } } };
        return [await signedAttachment(builder, digest, SLSA_PROVENANCE_V1, predicate)];
      },
      /no provenance/,
    ],
  ] as const) {
    test(`refuses an image with ${what} when the wait is over`, async () => {
      const { repository, digest, attest, target, relay, pass } = await pushed(`refused-${what.replaceAll(' ', '-')}`);
      const attachments = await theirs(digest);
      if (attachments.length > 0) await overwriteAttached(ground.client, repository, digest, attachments);
      pass(WAIT_MS);
      const report = await attest();
      assert.equal(report.refused?.reason, 'builder');
      assert.match(report.refused?.why ?? '', why);
      assert.deepEqual(
        report.evidence.map(({ state }) => state),
        ['refused'],
      );
      assert.deepEqual(target.puts, []);
      assert.ok(typesOf(await relay()).includes('signing.refused'));
    });
  }

  test('takes it from every platform of an index, and not from some of them', async () => {
    const repository = 'builder/index';
    const index = await smallIndex('builder-index');
    const digest = await push(ground.client, repository, '1.0', index);
    const platforms = index.manifests.map(({ descriptor }) => descriptor.digest);
    const { attest, pass } = jobsOf('index', repository, digest);
    pass(WAIT_MS);
    for (const [at, platform] of platforms.entries()) {
      assert.equal((await attest()).refused?.reason, 'builder', `${at} of ${platforms.length}`);
      const theirs = await signedAttachment(builder, platform, SLSA_PROVENANCE_V1, V1);
      await overwriteAttached(ground.client, repository, platform, [theirs]);
    }
    assert.equal((await attest()).refused, undefined);
  });

  test("never takes BuildKit's, which nobody signed", async () => {
    const repository = 'builder/buildkit';
    const digest = await push(ground.client, repository, '1.0', await buildkitImage('builder-buildkit'));
    const builderId = ['**'];
    const when = { builder: { trust: 'ci', builderId, wait: WAIT_MS } };
    const { attest, pass } = jobsOf('buildkit', repository, digest, { when });
    pass(WAIT_MS);
    assert.equal((await attest()).refused?.reason, 'builder');
  });

  test('asks for it before what was handed in is signed', async () => {
    const evidence = [
      { type: 'test-result', predicateType: TESTS, layout: 'cosign-tag', signer: signer.id, platforms: false },
    ] as const;
    const repository = 'builder/handed';
    const digest = await push(ground.client, repository, '1.0', await smallImage('handed'));
    const { ports, run, image, pass, target } = jobsOf('handed', repository, digest, { evidence });
    const name = `${REGISTRY}/${repository}@${digest}`;
    const receivedAt = NOW.toISOString();
    await ports.handedIn.put(name, handedInPredicate(image, TESTS, TEST_RESULT_SAMPLE, { receivedAt }));
    const sign = () => run(imageJob('handed', { kind: 'sign', cause: 'api', source: 'api', image, receivedAt }));
    await assert.rejects(sign(), { code: 'builder-evidence-awaited' });
    assert.equal((await ports.handedIn.list(name)).length, 1);
    pass(WAIT_MS);
    assert.equal(doneOf(await sign()).refused?.reason, 'builder');
    assert.deepEqual(target.puts, []);
  });
});
