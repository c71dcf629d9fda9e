import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EvidenceWish, ImportSource } from '#engine/engine-ports.ts';
import { signerAttestor } from '#engine/signer-attestor.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import { IN_TOTO, SLSA_PROVENANCE_V1, SLSA_PROVENANCE_V02 } from '#model/media-types.ts';
import type { Target } from '#oci/target.ts';
import { overwriteAttached, readAttached, readStatementOf, signedAttachment } from '../../support/attachments.ts';
import { buildkitImage, buildkitStatement } from '../../support/buildkit-image.ts';
import { attest, enginePorts, signerOf, statesOf, wishOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { builderOf } from '../../support/provenance.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage } from '../../support/small-images.ts';

const observer = signerOf(makePki(), 'observer');
const lifter = signerOf(makePki(), 'lifter');
const chains = signerOf(makePki(), 'chains');
const stranger = signerOf(makePki(), 'stranger');

let registry: TestRegistry;
let client: Target & AsyncDisposable;

before(async () => {
  registry = await startRegistry();
  client = connect(registry.url);
});
after(async () => {
  await client[Symbol.asyncDispose]();
  await registry.stop();
});

const LIFTED = { signer: lifter, former: [] };
const BUILDKIT: ImportSource = { from: 'buildkit', identity: LIFTED };
const TEKTON: ImportSource = { from: 'tekton', identity: LIFTED, trust: signerAttestor(chains) };

function wish(...imports: readonly ImportSource[]): EvidenceWish {
  return wishOf('slsaprovenance1', { signer: observer, imports });
}

/** The statements of the attestation tag, in order. */
async function statementsOn(repository: string, digest: Digest) {
  const { layers } = await readAttached(client, repository, digest);
  return Promise.all(layers.map((layer) => readStatementOf(client, repository, layer)));
}

describe("BuildKit's statements", () => {
  test('are signed byte for byte on the platform images by the second signer; the index keeps what was observed', async () => {
    const repository = 'imports/buildkit';
    const image = await buildkitImage('buildkit');
    const digest = await push(client, repository, '1.0', image);
    const report = await attest(enginePorts(client), repository, '1.0', [wish(BUILDKIT)]);
    assert.deepEqual(statesOf(report), Array(3).fill('slsaprovenance1 created'));
    assert.deepEqual(report.refusedImports, []);
    for (const [at, platform] of image.platforms.entries()) {
      const [lifted, ...more] = await statementsOn(repository, platform);
      assert.equal(more.length, 0);
      assert.deepEqual(lifted?.payload, Buffer.from(image.statements[at] ?? []));
      assert.equal(lifted?.envelope.payloadType, IN_TOTO);
    }
    const [observed] = await statementsOn(repository, digest);
    assert.ok(observed);
    assert.match(String(builderOf(observed.statement)), /registry-observer/);
    // It names them by digest, and says that nobody signed them.
    const { runDetails } = observed.statement.predicate as {
      runDetails: { byproducts?: { digest: { sha256: string } }[] };
    };
    const { byproducts = [] } = runDetails;
    const named = byproducts.map(({ digest: { sha256: hex } }) => `sha256:${hex}`);
    assert.deepEqual(named.sort(), image.statements.map((bytes) => sha256(bytes)).sort());
    const again = await attest(enginePorts(client), repository, '1.0', [wish(BUILDKIT)]);
    assert.deepEqual(statesOf(again), Array(3).fill('slsaprovenance1 present'));
  });

  test('are left where they are when the rule does not name them', async () => {
    const repository = 'imports/unnamed';
    const image = await buildkitImage('unnamed');
    await push(client, repository, '1.0', image);
    const report = await attest(enginePorts(client), repository, '1.0', [wish()]);
    assert.deepEqual(statesOf(report), ['slsaprovenance1 created']);
    await assert.rejects(readAttached(client, repository, image.platforms[0] as Digest), { code: 'not-found' });
  });

  const other = sha256('another image');
  for (const [what, spec, why] of [
    ['about another image', { statement: () => buildkitStatement(other) }, /subject-mismatch/],
    [
      'about another image too',
      {
        statement: (platform: Digest) =>
          buildkitStatement(platform, {
            subject: [platform, other].map((each) => ({ name: 'x', digest: { sha256: each.slice(7) } })),
          }),
      },
      /also about another image/,
    ],
    ['with an unknown member', { statement: (platform: Digest) => buildkitStatement(platform, { extra: 1 }) }, /extra/],
    [
      'with a member twice',
      { statement: (platform: Digest) => buildkitStatement(platform).replace('"_type"', '"_type": "x", "_type"') },
      /twice/,
    ],
    ['whose manifest is about an image that is not in the index', { about: () => other }, undefined],
  ] as const) {
    test(`${what} are not signed, and told; what was observed is made instead`, async () => {
      const repository = `imports/bad-${what.replaceAll(/[^a-z]+/g, '-')}`;
      const image = await buildkitImage(what, spec);
      await push(client, repository, '1.0', image);
      const report = await attest(enginePorts(client), repository, '1.0', [wish(BUILDKIT)]);
      assert.deepEqual(statesOf(report), ['slsaprovenance1 created']);
      for (const platform of image.platforms) {
        await assert.rejects(readAttached(client, repository, platform), { code: 'not-found' });
      }
      if (!why) return;
      assert.equal(report.refusedImports.length, 2);
      for (const refused of report.refusedImports) assert.match(refused.why, why);
    });
  }
});

describe('statements of Tekton Chains', () => {
  const BUILDER = { builder: { id: 'https://tekton.dev/chains/v2' }, buildType: 'tekton.dev/v1/PipelineRun' };

  test('are verified first, then signed byte for byte in place of what would be observed', async () => {
    const repository = 'imports/tekton';
    const digest = await push(client, repository, '1.0', await smallImage('tekton'));
    const theirs = await signedAttachment(chains, digest, SLSA_PROVENANCE_V02, BUILDER);
    await overwriteAttached(client, repository, digest, [theirs]);
    const report = await attest(enginePorts(client), repository, '1.0', [wish(TEKTON, BUILDKIT)]);
    assert.deepEqual(
      report.evidence.map(({ predicateType, state }) => [predicateType, state]),
      [[SLSA_PROVENANCE_V02, 'created']],
    );
    const [first, second, ...more] = await statementsOn(repository, digest);
    assert.equal(more.length, 0);
    assert.deepEqual(second?.payload, first?.payload);
    assert.notDeepEqual(second?.envelope.signatures, first?.envelope.signatures);
    const again = await attest(enginePorts(client), repository, '1.0', [wish(TEKTON)]);
    assert.deepEqual(statesOf(again), ['slsaprovenance1 present']);
  });

  test('of somebody else are not signed, and told; what was observed is made instead', async () => {
    const repository = 'imports/tekton-stranger';
    const digest = await push(client, repository, '1.0', await smallImage('tekton-stranger'));
    const theirs = await signedAttachment(stranger, digest, SLSA_PROVENANCE_V02, BUILDER);
    await overwriteAttached(client, repository, digest, [theirs]);
    const report = await attest(enginePorts(client), repository, '1.0', [wish(TEKTON)]);
    assert.deepEqual(
      report.evidence.map(({ predicateType }) => predicateType),
      [SLSA_PROVENANCE_V1],
    );
    assert.deepEqual(
      report.refusedImports.map(({ from, subject, digest: blob }) => [from, subject, blob]),
      [['tekton', digest, theirs.descriptor.digest]],
    );
  });

  test('that were copied from beside another image are not signed', async () => {
    const repository = 'imports/tekton-copied';
    const digest = await push(client, repository, '1.0', await smallImage('tekton-copied'));
    await overwriteAttached(client, repository, digest, [
      await signedAttachment(chains, sha256('another image'), SLSA_PROVENANCE_V02, BUILDER),
    ]);
    const report = await attest(enginePorts(client), repository, '1.0', [wish(TEKTON)]);
    assert.deepEqual(
      report.evidence.map(({ predicateType }) => predicateType),
      [SLSA_PROVENANCE_V1],
    );
    assert.match(report.refusedImports[0]?.why ?? '', /about sha256:/);
  });

  test('of another type are no provenance, and our own is none of theirs', async () => {
    const repository = 'imports/tekton-types';
    const digest = await push(client, repository, '1.0', await smallImage('tekton-types'));
    const observed = { runDetails: { builder: { id: 'https://a.example/builder/registry-observer/v1' } } };
    await overwriteAttached(client, repository, digest, [
      await signedAttachment(chains, digest, 'https://example.com/other/v1'),
      await signedAttachment(chains, digest, SLSA_PROVENANCE_V1, observed),
    ]);
    const report = await attest(enginePorts(client), repository, '1.0', [wish(TEKTON)]);
    assert.deepEqual(statesOf(report), ['slsaprovenance1 created']);
    const all = await statementsOn(repository, digest);
    assert.equal(all.length, 3);
  });
});
