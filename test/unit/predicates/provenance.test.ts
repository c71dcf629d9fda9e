import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST, SLSA_PROVENANCE_V1 } from '#model/media-types.ts';
import type { PlatformImage, Subject } from '#model/subject.ts';
import { TOOL_VERSION } from '#model/tool.ts';
import type { BuildkitFinding } from '#predicates/buildkit.ts';
import { DEFAULT_BUILDER_ID, observerBuilderId } from '#predicates/observer.ts';
import { isOurs, provenanceStatement } from '#predicates/own-statement.ts';
import { provenancePredicate } from '#predicates/provenance.ts';

const digest = (hex: string): Digest => `sha256:${hex.repeat(64)}`;

function platform(hex: string, labels: Record<string, string> = {}): PlatformImage {
  return {
    descriptor: {
      mediaType: OCI_MANIFEST,
      digest: digest(hex),
      size: 500,
      platform: { os: 'linux', architecture: hex },
    },
    layers: [
      { mediaType: OCI_LAYER_GZIP, digest: digest('0'), size: 10 },
      { mediaType: OCI_LAYER_GZIP, digest: digest(hex === 'a' ? '1' : '2'), size: 10 },
    ],
    config: { digest: digest(hex === 'a' ? 'c' : 'd'), created: '2024-01-01T00:00:00Z', labels, diffIds: [] },
    annotations: { 'org.opencontainers.image.source': 'https://git.example/team/app' },
  };
}

const LABELS = {
  'org.opencontainers.image.revision': 'deadbeef',
  'builder.id': 'https://github.com/actions/runner',
};

function image(labels: Record<string, string> = LABELS, tag = 'v1'): Subject {
  const only = platform('a', labels);
  return {
    image: { registry: 'registry.example', repository: 'team/app', tag, digest: digest('a') },
    descriptor: only.descriptor,
    kind: 'image',
    platforms: [only],
    children: [],
  };
}

const INDEX: Subject = {
  image: { registry: 'registry.example', repository: 'team/app', digest: digest('f') },
  descriptor: { mediaType: OCI_INDEX, digest: digest('f'), size: 800 },
  kind: 'index',
  platforms: [platform('a'), platform('b')],
  children: [],
};

const FINDINGS: readonly BuildkitFinding[] = [
  { digest: digest('8'), platformDigest: digest('a'), predicateType: SLSA_PROVENANCE_V1, ok: true },
  { digest: digest('9'), platformDigest: digest('b'), ok: false, why: 'subject-mismatch', tampering: true },
];

function text(value: unknown): string {
  return JSON.stringify(value);
}

describe('provenance', () => {
  it('says that the image was observed, and by whom', () => {
    const { buildDefinition, runDetails } = provenancePredicate({ subject: image(), buildkit: [] });
    assert.equal(buildDefinition.buildType, 'https://attestry.dev/build-type/registry-observation/v1');
    assert.deepEqual(buildDefinition.externalParameters, { image: `registry.example/team/app@${digest('a')}` });
    assert.deepEqual(runDetails, { builder: { id: DEFAULT_BUILDER_ID, version: { attestry: TOOL_VERSION } } });
  });

  it('claims no time, invocation, source or builder of the image', () => {
    const predicate = provenancePredicate({ subject: image(), buildkit: [] });
    const { internalParameters, ...claims } = predicate.buildDefinition;
    assert.match(text(internalParameters), /deadbeef/);
    assert.doesNotMatch(text({ claims, run: predicate.runDetails }), /deadbeef|github|git\.example|2024/);
    assert.doesNotMatch(text(predicate), /startedOn|finishedOn|invocationI|2024/);
  });

  it('is a function of the digest, not of the tag that led there', () => {
    const one = provenanceStatement({ subject: image(LABELS, 'v1'), buildkit: [] });
    const { tag: _, ...untagged } = image().image;
    assert.deepEqual(provenanceStatement({ subject: image(LABELS, 'v2'), buildkit: [] }), one);
    assert.deepEqual(provenanceStatement({ subject: { ...image(), image: untagged }, buildkit: [] }), one);
  });

  it('names each manifest, config and layer that was read, once', () => {
    const { resolvedDependencies } = provenancePredicate({ subject: INDEX, buildkit: [] }).buildDefinition;
    assert.deepEqual(
      resolvedDependencies.map(({ name, digest: found }) => [name, found.sha256?.[0]]),
      [
        ['index', 'f'],
        ['manifest', 'a'],
        ['config', 'c'],
        ['layer', '0'],
        ['layer', '1'],
        ['manifest', 'b'],
        ['config', 'd'],
        ['layer', '2'],
      ],
    );
    assert.deepEqual(resolvedDependencies[1], {
      name: 'manifest',
      uri: `oci://registry.example/team/app@${digest('a')}`,
      digest: { sha256: 'a'.repeat(64) },
      mediaType: OCI_MANIFEST,
    });
  });

  it('repeats labels and annotations as unverified observations, within bounds', () => {
    const labels = Object.fromEntries(
      Array.from({ length: 150 }, (_, i) => [`label-${String(i).padStart(3, '0')}`, 'x']),
    );
    const hostile = { ...labels, 'a-long': 'x'.repeat(2000), 'a-broken\ud800': 'y\udfff' };
    const { observed } = provenancePredicate({ subject: image(hostile), buildkit: [] }).buildDefinition
      .internalParameters;
    const { verified, platforms } = JSON.parse(text(observed));
    assert.equal(verified, false);
    const [only] = platforms;
    assert.equal(Object.keys(only.labels.values).length, 100);
    assert.equal(only.labels.omitted, 52);
    assert.equal(only.labels.values['a-broken\ufffd'], 'y\ufffd');
    assert.equal(only.labels.values['a-long'], undefined);
    assert.deepEqual(only.annotations, {
      values: { 'org.opencontainers.image.source': 'https://git.example/team/app' },
      omitted: 0,
    });
    assert.ok(provenanceStatement({ subject: image(hostile), buildkit: [] }).length < 200_000);
  });

  it('tells of a platform what its own digest tells, and of an index what the index tells', () => {
    const platforms = (subject: Subject) => {
      const { observed } = provenancePredicate({ subject, buildkit: [] }).buildDefinition.internalParameters;
      return JSON.parse(text(observed)).platforms.map((each: { platform?: string }) => each.platform);
    };
    assert.deepEqual(platforms(image()), [undefined]);
    assert.deepEqual(platforms(INDEX), ['linux/a', 'linux/b']);
  });

  it('names statements of BuildKit by digest, with what their check said', () => {
    const { byproducts } = provenancePredicate({ subject: INDEX, buildkit: FINDINGS }).runDetails;
    assert.deepEqual(byproducts, [
      {
        name: 'buildkit-statement',
        digest: { sha256: '8'.repeat(64) },
        mediaType: 'application/vnd.in-toto+json',
        annotations: {
          predicateType: SLSA_PROVENANCE_V1,
          platform: digest('a'),
          signed: false,
          check: 'consistent',
        },
      },
      {
        name: 'buildkit-statement',
        digest: { sha256: '9'.repeat(64) },
        mediaType: 'application/vnd.in-toto+json',
        annotations: { platform: digest('b'), signed: false, check: 'subject-mismatch', tampering: true },
      },
    ]);
  });

  it('is a statement of ours', () => {
    const statement = JSON.parse(Buffer.from(provenanceStatement({ subject: INDEX, buildkit: FINDINGS })).toString());
    assert.equal(statement.predicateType, SLSA_PROVENANCE_V1);
    assert.deepEqual(statement.subject, [{ name: 'registry.example/team/app', digest: { sha256: 'f'.repeat(64) } }]);
    assert.equal(isOurs(statement), true);
  });
});

describe('builder id', () => {
  it('may be under a host of the installation', () => {
    const id = observerBuilderId('https://evidence.example:8443/x/builder/registry-observer/v1');
    const { builder } = provenancePredicate({ subject: image(), buildkit: [], builderId: id }).runDetails;
    assert.equal(builder.id, 'https://evidence.example:8443/x/builder/registry-observer/v1');
  });

  for (const text of [
    'https://github.com/actions/runner',
    'https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator.yml@refs/tags/v2.0.0',
    'https://cloudbuild.googleapis.com/GoogleHostedWorker',
    'https://tekton.dev/chains/v2',
    'http://attestry.dev/builder/registry-observer/v1',
    'https://user@attestry.dev/builder/registry-observer/v1',
    'https://github.com/actions/runner?x=/builder/registry-observer/v1',
    'https://github.com/actions/runner#/builder/registry-observer/v1',
    'https://github.com/a/../builder/registry-observer/v1',
    '/builder/registry-observer/v1',
    '',
  ]) {
    it(`is never ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => observerBuilderId(text),
        (error) => error instanceof AppError && error.code === 'config-invalid' && error.field === 'builderId',
      );
    });
  }
});
