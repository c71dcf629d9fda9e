import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BuiltImage,
  buildImage,
  buildIndex,
  buildLayer,
  builtContent,
  jsonContent,
} from '#cli/demo/image-writer.ts';
import { pushImage } from '#cli/demo/push-image.ts';
import { readBuildkitFindings } from '#engine/buildkit-findings.ts';
import { bomInput, createInventoryTaker } from '#engine/make-sbom.ts';
import { resolveSubject } from '#engine/resolve.ts';
import type { Digest } from '#model/digest.ts';
import { IN_TOTO, OCI_CONFIG, OCI_MANIFEST } from '#model/media-types.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import type { Target } from '#oci/target.ts';
import { createMemoryLayerFactsCache } from '#sbom/layer-facts-cache.ts';
import { DEFAULT_WALK_LIMITS } from '#sbom/limits.ts';
import { fails } from '../../support/failure.ts';
import { debianItems } from '../../support/image.ts';
import { REGISTRY } from '../../support/installation.ts';
import { smallImage } from '../../support/small-images.ts';

async function resolved(image: BuiltImage) {
  const target: Target = createMemoryTarget();
  await pushImage(target, 'team/app', '1', image);
  return { target, subject: () => resolveSubject(target, { registry: REGISTRY, repository: 'team/app', tag: '1' }) };
}

test('configs and manifests of all platforms together are bounded', async () => {
  const layers = [await buildLayer(debianItems({ bash: '5.2' }))];
  const child = (seed: number) =>
    buildImage({
      layers,
      platform: { os: 'linux', architecture: `a${seed}` },
      labels: { large: 'x'.repeat(3_500_000) },
    });
  const few = await resolved(buildIndex([child(1), child(2)]));
  assert.equal((await few.subject()).platforms.length, 2);
  const many = await resolved(buildIndex([1, 2, 3, 4, 5].map(child)));
  await fails('too-large', many.subject());
});

test('a small layer that names more packages than readers take, on one platform or over all of them', async () => {
  const packages = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`package-${at}`, '1.0']));
  const layers = [await buildLayer(debianItems(packages))];
  const child = (architecture: string) => buildImage({ layers, platform: { os: 'linux', architecture } });
  const { target, subject } = await resolved(buildIndex(['a', 'b', 'c', 'd', 'e'].map(child)));
  const parts = {
    source: target,
    repository: 'team/app',
    cache: createMemoryLayerFactsCache(64 * 1024 * 1024),
    limits: DEFAULT_WALK_LIMITS,
  };
  const taken: Digest[] = [];
  const inventories = createInventoryTaker({ ...parts, onTaken: (platform) => void taken.push(platform) });
  await fails('too-large', bomInput(await subject(), 'https://cyclonedx.org/bom', inventories));
  assert.ok(taken.length >= 2 && taken.length < 5, `${taken.length} inventories were held`);
});

test('statements that BuildKit is said to have left are read one at a time, and not without end', async () => {
  const platform = await smallImage('buildkit');
  const statements = Array.from({ length: 30 }, (_, at) => builtContent(Buffer.from(`{"at":${at}}`), IN_TOTO));
  const config = jsonContent(OCI_CONFIG, {});
  const root = jsonContent(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: statements.map(({ descriptor }) => descriptor),
  });
  const annotations = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': platform.root.descriptor.digest,
  };
  const attestation: BuiltImage = {
    root: { ...root, descriptor: { ...root.descriptor, annotations } },
    manifests: [],
    blobs: [config, ...statements],
  };
  const { target, subject } = await resolved(buildIndex([platform, attestation]));
  let reading = 0;
  let most = 0;
  const watched: Target = {
    ...target,
    async blob(...args) {
      reading += 1;
      most = Math.max(most, reading);
      const stream = await target.blob(...args);
      stream.once('close', () => {
        reading -= 1;
      });
      return stream;
    },
  };
  const findings = await readBuildkitFindings(watched, await subject());
  assert.equal(most, 1);
  assert.equal(findings.length, 20);
  assert.ok(findings.every((finding) => !finding.ok && finding.why === 'statement-malformed'));
});
