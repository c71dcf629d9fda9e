import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { buildIndex } from '#cli/demo/image-writer.ts';
import { processWrittenStore } from '#cli/local-engine.ts';
import { type Digest, digestHex } from '#model/digest.ts';
import { locationKey } from '#model/evidence.ts';
import type { EvidenceLock } from '#model/ports.ts';
import type { Target } from '#oci/target.ts';
import { attachedDigests, readAttached, readStatementOf } from '../../support/attachments.ts';
import { buildkitAttestation } from '../../support/image.ts';
import { attest, bothWishes, enginePorts, REGISTRY, signerOf, statesOf, wishOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { ARM64, push, smallImage, smallIndex } from '../../support/small-images.ts';
import { watchTarget } from '../../support/watched-target.ts';

const CYCLONEDX = 'https://cyclonedx.org/bom';
const PROVENANCE = 'https://slsa.dev/provenance/v1';
const signer = signerOf(makePki());
const wishes = bothWishes({ signer });

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

async function typesAt(repository: string, subject: Digest): Promise<readonly string[]> {
  const { layers } = await readAttached(client, repository, subject);
  const statements = await Promise.all(layers.map((layer) => readStatementOf(client, repository, layer)));
  for (const { statement } of statements) {
    assert.deepEqual(statement.subject[0]?.digest, { sha256: digestHex(subject) });
  }
  return statements.map(({ statement }) => statement.predicateType);
}

async function predicateAt(repository: string, subject: Digest, type: string) {
  const { layers } = await readAttached(client, repository, subject);
  const layer = layers.find(({ annotations }) => annotations?.predicateType === type);
  assert.ok(layer);
  return (await readStatementOf(client, repository, layer)).statement.predicate;
}

/** One holder a location, as the lock in Redis; tells who had it and whether two had it at once. */
function countingLock() {
  const acquired: string[] = [];
  const held = new Map<string, Promise<void>>();
  let most = 0;
  let now = 0;
  const lock: EvidenceLock = {
    async acquire(location) {
      const key = locationKey(location);
      while (held.has(key)) await held.get(key);
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(key, promise);
      acquired.push(key);
      now += 1;
      most = Math.max(most, now);
      return {
        fence: acquired.length,
        signal: new AbortController().signal,
        check: async () => {},
        async [Symbol.asyncDispose]() {
          now -= 1;
          held.delete(key);
          resolve();
        },
      };
    },
  };
  return { lock, acquired, most: () => most };
}

describe('an index', () => {
  const repository = 'index/plain';
  let root: Digest;
  let platforms: readonly Digest[];

  before(async () => {
    const index = await smallIndex('plain');
    platforms = index.manifests.map(({ descriptor }) => descriptor.digest);
    root = await push(client, repository, '1.0', index);
  });

  test('has its SBOM on each platform and on itself, its provenance on itself alone', async () => {
    const target = watchTarget(client);
    const report = await attest(enginePorts(target), repository, '1.0', wishes);
    assert.deepEqual(await typesAt(repository, root), [CYCLONEDX, PROVENANCE]);
    for (const platform of platforms) assert.deepEqual(await typesAt(repository, platform), [CYCLONEDX]);
    assert.equal(report.evidence.length, 4);
    assert.deepEqual(
      target.tagsWritten().toSorted(),
      [root, ...platforms].map((d) => `sha256-${digestHex(d)}.att`).sort(),
    );
  });

  test('lists its platforms as components, their packages below them', async () => {
    const predicate = await predicateAt(repository, root, CYCLONEDX);
    const components = predicate.components as { type: string; components: { name: string }[] }[];
    assert.equal(components.length, 2);
    for (const { components: packages } of components) {
      assert.ok(packages.some(({ name }) => name === 'bash'));
      assert.ok(packages.some(({ name }) => name === 'left-pad'));
    }
  });

  test('gets provenance on its platforms where the rule says so', async () => {
    const wish = wishOf('slsaprovenance1', { signer, platforms: true });
    const report = await attest(enginePorts(client), repository, '1.0', [wish]);
    assert.deepEqual(statesOf(report).toSorted(), [
      'slsaprovenance1 created',
      'slsaprovenance1 created',
      'slsaprovenance1 present',
    ]);
    for (const platform of platforms) assert.deepEqual(await typesAt(repository, platform), [CYCLONEDX, PROVENANCE]);
  });

  test('gets nothing on its platforms where the rule says so', async () => {
    const name = 'index/root-only';
    const index = await smallIndex('root-only');
    const digest = await push(client, name, '1.0', index);
    await attest(enginePorts(client), name, '1.0', [wishOf('cyclonedx', { signer, platforms: false })]);
    assert.deepEqual(await typesAt(name, digest), [CYCLONEDX]);
    for (const { descriptor } of index.manifests) {
      await assert.rejects(readAttached(client, name, descriptor.digest), { code: 'not-found' });
    }
  });

  test('that lists one manifest for two platforms has one SBOM of it', async () => {
    const name = 'index/twice';
    const image = await smallImage('twice');
    const again = { ...image, root: { ...image.root, descriptor: { ...image.root.descriptor, platform: ARM64 } } };
    const digest = await push(client, name, '1.0', buildIndex([image, again]));
    const report = await attest(enginePorts(client), name, '1.0', wishes);
    assert.deepEqual(statesOf(report).toSorted(), [
      'cyclonedx created',
      'cyclonedx created',
      'slsaprovenance1 created',
    ]);
    assert.equal((await attachedDigests(client, name, digest)).length, 2);
  });

  test('one platform that cannot be read leaves the whole index without evidence', async () => {
    const name = 'index/half';
    const good = await smallImage('half-good');
    const broken = await smallImage('half-broken', { platform: ARM64 });
    const digest = await push(client, name, '1.0', buildIndex([good, broken]));
    const layer = broken.blobs.find(({ descriptor }) => descriptor.mediaType.includes('layer'));
    const gone = await fetch(new URL(`/v2/${name}/blobs/${layer?.descriptor.digest}`, registry.url), {
      method: 'DELETE',
    });
    assert.equal(gone.status, 202);
    const target = watchTarget(client);
    await assert.rejects(attest(enginePorts(target), name, '1.0', wishes), { code: 'not-found' });
    assert.deepEqual(target.puts, []);
    await assert.rejects(readAttached(client, name, digest), { code: 'not-found' });
  });
});

describe('statements of BuildKit in the index', () => {
  const repository = 'index/buildkit';
  const predicate = { buildType: 'https://mobyproject.org/buildkit@v1' };

  async function buildkitIndex(seed: string) {
    const image = await smallImage(seed);
    const platform = image.root.descriptor.digest;
    const other = (await smallImage(`${seed}-other`)).root.descriptor.digest;
    const sound = buildkitAttestation(platform, [{ predicateType: PROVENANCE, predicate }]);
    const lying = buildkitAttestation(platform, [
      { predicateType: PROVENANCE, predicate, subject: other },
      { predicateType: PROVENANCE, predicate: { ...predicate, second: true }, announced: 'https://spdx.dev/Document' },
    ]);
    const astray = buildkitAttestation(other, [{ predicateType: PROVENANCE, predicate: { third: true } }]);
    return { index: buildIndex([image, sound, lying, astray]), platform, sound, lying, astray };
  }

  test('are checked, named by digest with their result, and neither signed nor given evidence', async () => {
    const { index, platform, sound, lying, astray } = await buildkitIndex('buildkit');
    const root = await push(client, repository, '1.0', index);
    const report = await attest(enginePorts(client), repository, '1.0', wishes);
    assert.deepEqual(new Set(report.evidence.map(({ subject }) => subject)), new Set([root, platform]));
    const { runDetails } = (await predicateAt(repository, root, PROVENANCE)) as {
      runDetails: { byproducts: { digest: { sha256: string }; annotations: Record<string, unknown> }[] };
    };
    const named = runDetails.byproducts.map(({ digest, annotations: { check, tampering, signed } }) => ({
      digest: `sha256:${digest.sha256}`,
      check,
      tampering,
      signed,
    }));
    const statementOf = (at: typeof sound, place: number) => at.blobs[1 + place]?.descriptor.digest;
    assert.deepEqual(named, [
      { digest: statementOf(sound, 0), check: 'consistent', tampering: undefined, signed: false },
      { digest: statementOf(lying, 0), check: 'subject-mismatch', tampering: true, signed: false },
      { digest: statementOf(lying, 1), check: 'predicate-type', tampering: true, signed: false },
      { digest: astray.root.descriptor.digest, check: 'reference-outside-index', tampering: true, signed: false },
    ]);
    for (const { root: attestation } of [sound, lying, astray]) {
      await assert.rejects(readAttached(client, repository, attestation.descriptor.digest), { code: 'not-found' });
    }
    assert.deepEqual(await typesAt(repository, platform), [CYCLONEDX]);
  });

  test('that are gone from the registry are named as missing', async () => {
    const name = 'index/buildkit-gone';
    const { index, sound } = await buildkitIndex('buildkit-gone');
    const root = await push(client, name, '1.0', index);
    await client.deleteManifest(name, sound.root.descriptor.digest);
    await attest(enginePorts(client), name, '1.0', [wishOf('slsaprovenance1', { signer })]);
    const { runDetails } = (await predicateAt(name, root, PROVENANCE)) as {
      runDetails: { byproducts: { digest: { sha256: string }; annotations: { check: string } }[] };
    };
    const [first] = runDetails.byproducts;
    assert.equal(first?.annotations.check, 'blob-missing');
    assert.equal(`sha256:${first?.digest.sha256}`, sound.root.descriptor.digest);
  });
});

describe('a central evidence repository', () => {
  const central = 'central/evidence';

  test('holds the evidence under the digest, with no path of the image appended', async () => {
    const subject = await push(client, 'team/app', '1.0', await smallImage('central'));
    const shared = bothWishes({ signer, repository: `${REGISTRY}/${central}` });
    const report = await attest(enginePorts(client), 'team/app', '1.0', shared);
    assert.deepEqual(await typesAt(central, subject), [CYCLONEDX, PROVENANCE]);
    assert.ok(
      report.evidence.every(({ location }) => location === `${REGISTRY}/${central}:sha256-${digestHex(subject)}.att`),
    );
    await assert.rejects(readAttached(client, 'team/app', subject), { code: 'not-found' });
  });

  test('one digest in two repositories is one location: one writer at a time, one statement of a type', async () => {
    const image = await smallImage('shared');
    const names = ['team/one', 'team/two', 'team/three'];
    for (const name of names) await push(client, name, '1.0', image);
    const subject = image.root.descriptor.digest;
    const { lock, acquired, most } = countingLock();
    const written = processWrittenStore();
    const target = watchTarget(client);
    const shared = bothWishes({ signer, repository: `${REGISTRY}/${central}` });
    const ports = enginePorts(target, { lock, written });
    const reports = await Promise.all(names.map((name) => attest(ports, name, '1.0', shared)));
    assert.equal(most(), 1);
    assert.deepEqual(new Set(acquired), new Set([`${REGISTRY}/${central}@${subject}`]));
    assert.equal(target.puts.length, 1);
    assert.deepEqual(await typesAt(central, subject), [CYCLONEDX, PROVENANCE]);
    assert.deepEqual(reports.map((report) => statesOf(report)[0]).toSorted(), [
      'cyclonedx created',
      'cyclonedx present',
      'cyclonedx present',
    ]);
  });

  test('evidence of one type may lie beside the image and of another in the centre', async () => {
    const subject = await push(client, 'team/split', '1.0', await smallImage('split'));
    const split = [
      wishOf('cyclonedx', { signer, repository: `${REGISTRY}/${central}` }),
      wishOf('slsaprovenance1', { signer }),
    ];
    await attest(enginePorts(client), 'team/split', '1.0', split);
    assert.deepEqual(await typesAt(central, subject), [CYCLONEDX]);
    assert.deepEqual(await typesAt('team/split', subject), [PROVENANCE]);
  });
});
