import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BuiltImage, buildImage, buildIndex, buildLayer, builtContent } from '#cli/demo/image-writer.ts';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import {
  BUILDKIT_REFERENCE_DIGEST,
  IN_TOTO,
  SLSA_PROVENANCE_V1,
  SLSA_PROVENANCE_V02,
  SPDX,
} from '#model/media-types.ts';
import {
  buildkitStatements,
  checkBuildkitAttestation,
  isBuildkitAttestation,
  MAX_BUILDKIT_STATEMENT,
} from '#predicates/buildkit.ts';
import { type BuildkitStatementContent, buildkitAttestation, textFile } from '../../support/image.ts';

const PROVENANCE = { predicateType: SLSA_PROVENANCE_V1, predicate: { buildDefinition: {} } };

interface Case {
  readonly children: readonly Descriptor[];
  readonly attestation: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly blobs: Map<Digest, Uint8Array>;
  readonly platforms: readonly Digest[];
}

async function index(
  statements: readonly BuildkitStatementContent[],
  change: (platforms: readonly [BuiltImage, BuiltImage], attestation: BuiltImage) => BuiltImage = (_, made) => made,
): Promise<Case> {
  const platforms = [await platform('amd64'), await platform('arm64')] as const;
  const attestation = change(platforms, buildkitAttestation(platforms[0].root.descriptor.digest, statements));
  const built = buildIndex([...platforms, attestation]);
  const { manifests } = JSON.parse(Buffer.from(built.root.bytes).toString());
  const { layers } = JSON.parse(Buffer.from(attestation.root.bytes).toString());
  const blobs = new Map(attestation.blobs.map(({ descriptor, bytes }) => [descriptor.digest, bytes]));
  return {
    children: manifests,
    attestation: attestation.root.descriptor,
    layers,
    blobs,
    platforms: platforms.map(({ root }) => root.descriptor.digest),
  };
}

async function platform(architecture: string): Promise<BuiltImage> {
  const layer = await buildLayer([textFile('arch', architecture)]);
  return buildImage({ layers: [layer], platform: { os: 'linux', architecture } });
}

function referring(attestation: BuiltImage, digest: string): BuiltImage {
  const { root } = attestation;
  const annotations = { ...root.descriptor.annotations, [BUILDKIT_REFERENCE_DIGEST]: digest };
  return { ...attestation, root: { ...root, descriptor: { ...root.descriptor, annotations } } };
}

/** `why` of each statement, or `ok`. */
function judge(subject: Case): string[] {
  return checkBuildkitAttestation(subject).map((finding) =>
    finding.ok ? 'ok' : `${finding.why}${finding.tampering ? '!' : ''}`,
  );
}

describe('BuildKit statements', () => {
  it('are found among the children of an index', async () => {
    const { children } = await index([PROVENANCE]);
    assert.deepEqual(children.map(isBuildkitAttestation), [false, false, true]);
  });

  it('are consistent when they speak of the platform that their manifest names', async () => {
    const made = await index([PROVENANCE, { predicateType: SPDX, predicate: { spdxVersion: 'SPDX-2.3' } }]);
    assert.deepEqual(buildkitStatements(made.layers), made.layers);
    assert.deepEqual(
      checkBuildkitAttestation(made),
      made.layers.map((layer, place) => ({
        digest: layer.digest,
        platformDigest: made.platforms[0],
        predicateType: place === 0 ? SLSA_PROVENANCE_V1 : SPDX,
        ok: true,
      })),
    );
  });

  it('of another image of the same index are tampering', async () => {
    const made = await index([PROVENANCE], ([, other], attestation) =>
      referring(attestation, other.root.descriptor.digest),
    );
    assert.deepEqual(judge(made), ['subject-mismatch!']);
  });

  it('of a foreign image are tampering', async () => {
    assert.deepEqual(judge(await index([{ ...PROVENANCE, subject: `sha256:${'0'.repeat(64)}` }])), [
      'subject-mismatch!',
    ]);
  });

  it('whose manifest names no image of this index are tampering', async () => {
    const foreign = await index([PROVENANCE], (_, made) => referring(made, `sha256:${'0'.repeat(64)}`));
    assert.deepEqual(judge(foreign), ['reference-outside-index!']);
    const own = await index([PROVENANCE], (_, made) => referring(made, made.root.descriptor.digest));
    assert.deepEqual(judge(own), ['reference-outside-index!']);
    const none = await index([PROVENANCE], (_, made) => referring(made, 'latest'));
    assert.deepEqual(judge(none), ['reference-missing']);
  });

  it('that lie about their type are tampering', async () => {
    assert.deepEqual(judge(await index([{ ...PROVENANCE, announced: SLSA_PROVENANCE_V02 }])), ['predicate-type!']);
  });

  it('whose bytes are others are tampering, and absent ones are not', async () => {
    const made = await index([PROVENANCE]);
    const [layer] = made.layers;
    assert.ok(layer);
    const bytes = made.blobs.get(layer.digest) ?? new Uint8Array();
    assert.deepEqual(judge({ ...made, blobs: new Map([[layer.digest, bytes.map((byte) => byte ^ 1)]]) }), [
      'blob-digest!',
    ]);
    assert.deepEqual(judge({ ...made, layers: [{ ...layer, size: layer.size + 1 }] }), ['blob-digest!']);
    assert.deepEqual(judge({ ...made, blobs: new Map() }), ['blob-missing']);
  });

  it('that are too large are not fetched', async () => {
    const made = await index([PROVENANCE]);
    const layers = made.layers.map((layer) => ({ ...layer, size: MAX_BUILDKIT_STATEMENT + 1 }));
    assert.deepEqual(buildkitStatements(layers), []);
    assert.deepEqual(judge({ ...made, layers }), ['statement-too-large']);
  });

  for (const text of ['', '{', '[]', 'null', '{"_type":"x"}', '{"_type":"https://in-toto.io/Statement/v1"}', '\xff']) {
    it(`that read ${JSON.stringify(text)} are malformed`, async () => {
      const made = await index([PROVENANCE]);
      const { descriptor, bytes } = builtContent(Buffer.from(text, 'latin1'), IN_TOTO);
      const blobs = new Map([[descriptor.digest, bytes]]);
      assert.deepEqual(judge({ ...made, layers: [descriptor], blobs }), ['statement-malformed']);
    });
  }

  it('are looked for in in-toto layers only', async () => {
    const made = await index([PROVENANCE]);
    assert.deepEqual(
      judge({ ...made, layers: made.layers.map((layer) => ({ ...layer, mediaType: 'text/plain' })) }),
      [],
    );
  });
});
