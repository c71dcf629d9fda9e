import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EvidenceWish, ImportSource } from '#engine/engine-ports.ts';
import { readyStatement } from '#engine/ready-statement.ts';
import { signerAttestor } from '#engine/signer-attestor.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import { SLSA_PROVENANCE_V1 } from '#model/media-types.ts';
import type { Target } from '#oci/target.ts';
import { readAttached, readStatementOf } from '../../support/attachments.ts';
import { attest, enginePorts, signerOf, statesOf, wishOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { builderOf } from '../../support/provenance.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage } from '../../support/small-images.ts';

const observer = signerOf(makePki(), 'observer');
const lifter = signerOf(makePki(), 'lifter');
const builder = signerOf(makePki(), 'builder');
const stranger = signerOf(makePki(), 'stranger');
const other = sha256('another image');

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

const GITHUB: ImportSource = {
  from: 'github',
  identity: { signer: lifter, former: [] },
  trust: signerAttestor(builder),
};

function wish(...imports: readonly ImportSource[]): EvidenceWish {
  return wishOf('slsaprovenance1', { signer: observer, imports });
}

/** The statements of the attestation tag, in order. */
async function statementsOn(repository: string, digest: Digest) {
  const { layers } = await readAttached(client, repository, digest);
  return Promise.all(layers.map((layer) => readStatementOf(client, repository, layer)));
}

describe("GitHub's attestations", () => {
  const PREDICATE = {
    buildDefinition: { buildType: 'https://actions.github.io/buildtypes/workflow/v1', externalParameters: {} },
    runDetails: { builder: { id: 'https://github.com/acme/app/.github/workflows/build.yml@refs/heads/main' } },
  };

  /** A bundle beside the image, as `attest-build-provenance` pushes it. */
  async function pushBundle(
    repository: string,
    digest: Digest,
    by: typeof builder,
    more: readonly Record<string, string>[] = [],
  ): Promise<Uint8Array> {
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ sha256: digest.slice('sha256:'.length) }, ...more].map((each) => ({ name: 'app', digest: each })),
      predicateType: SLSA_PROVENANCE_V1,
      predicate: PREDICATE,
    };
    const payload = Buffer.from(JSON.stringify(statement));
    const ready = readyStatement(digest, payload, false);
    const theirs = wishOf('slsaprovenance1', { signer: by, ready, layouts: ['bundle'], rule: 'theirs' });
    await attest(enginePorts(client), repository, '1.0', [theirs]);
    return payload;
  }

  test('are verified first, then signed byte for byte', async () => {
    const repository = 'imports/github';
    const digest = await push(client, repository, '1.0', await smallImage('github'));
    const payload = await pushBundle(repository, digest, builder);
    const report = await attest(enginePorts(client), repository, '1.0', [wish(GITHUB)]);
    assert.deepEqual(statesOf(report), ['slsaprovenance1 created']);
    const [lifted, ...more] = await statementsOn(repository, digest);
    assert.equal(more.length, 0);
    assert.deepEqual(lifted?.payload, payload);
    assert.deepEqual(statesOf(await attest(enginePorts(client), repository, '1.0', [wish(GITHUB)])), [
      'slsaprovenance1 present',
    ]);
  });

  for (const [what, more] of [
    ['about another image too', { sha256: other.slice('sha256:'.length) }],
    ['that name something in another algorithm', { sha512: 'ab'.repeat(64) }],
  ] as const) {
    test(`${what} are not signed, and told`, async () => {
      const repository = `imports/github-${what.replaceAll(' ', '-')}`;
      const digest = await push(client, repository, '1.0', await smallImage(what));
      await pushBundle(repository, digest, builder, [more]);
      const report = await attest(enginePorts(client), repository, '1.0', [wish(GITHUB)]);
      assert.match(String(report.refusedImports[0]?.why), /also about another image/);
      const [observed] = await statementsOn(repository, digest);
      assert.match(String(observed && builderOf(observed.statement)), /registry-observer/);
    });
  }

  test('stay when their source is away: what was observed comes beside them', async () => {
    const repository = 'imports/github-away';
    const ports = enginePorts(client);
    const digest = await push(client, repository, '1.0', await smallImage('github-away'));
    await pushBundle(repository, digest, builder);
    await attest(ports, repository, '1.0', [wish(GITHUB)]);
    for await (const { digest: bundle } of client.referrers(repository, digest)) {
      await client.deleteManifest(repository, bundle);
    }
    await attest(ports, repository, '1.0', [wish(GITHUB)]);
    const builders = (await statementsOn(repository, digest)).map(({ statement }) => builderOf(statement));
    assert.equal(builders.length, 2, String(builders));
  });

  test('of somebody else are not signed, and told; what was observed is made instead', async () => {
    const repository = 'imports/github-stranger';
    const digest = await push(client, repository, '1.0', await smallImage('github-stranger'));
    await pushBundle(repository, digest, stranger);
    const report = await attest(enginePorts(client), repository, '1.0', [wish(GITHUB)]);
    assert.deepEqual(
      report.refusedImports.map(({ from, subject }) => [from, subject]),
      [['github', digest]],
    );
    const [observed] = await statementsOn(repository, digest);
    assert.match(String(observed && builderOf(observed.statement)), /registry-observer/);
  });
});
