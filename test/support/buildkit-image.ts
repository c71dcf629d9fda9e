import { type BuiltContent, type BuiltImage, builtContent, jsonContent } from '#cli/demo/image-writer.ts';
import { type Digest, digestHex } from '#model/digest.ts';
import {
  BUILDKIT_ATTESTATION_MANIFEST,
  BUILDKIT_PREDICATE_TYPE,
  BUILDKIT_REFERENCE_DIGEST,
  BUILDKIT_REFERENCE_TYPE,
  IN_TOTO,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
  SLSA_PROVENANCE_V1,
  STATEMENT_V01,
} from '#model/media-types.ts';
import { smallImage } from './small-images.ts';

export interface BuildkitSpec {
  /** The statement of one platform image; by default a sound one. */
  readonly statement?: (platform: Digest) => string;
  /** What the attestation manifest says that it is about; by default the platform image. */
  readonly about?: (platform: Digest) => Digest;
}

export interface BuildkitImage extends BuiltImage {
  readonly platforms: readonly Digest[];
  /** The unsigned statements, in the order of the platforms. */
  readonly statements: readonly Uint8Array[];
}

export const BUILDKIT_BUILDER = 'https://github.com/acme/app/actions/runs/7';

/** As BuildKit writes it: indented, of the older statement version, one subject for each name of the image. */
export function buildkitStatement(platform: Digest, more: object = {}): string {
  const digest = { sha256: digestHex(platform) };
  const statement = {
    _type: STATEMENT_V01,
    predicateType: SLSA_PROVENANCE_V1,
    subject: [
      { name: 'pkg:docker/team/app@1.0?platform=linux%2Famd64', digest },
      { name: 'pkg:docker/team/app@latest?platform=linux%2Famd64', digest },
    ],
    predicate: {
      buildDefinition: {
        buildType: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
        externalParameters: { configSource: { path: 'Dockerfile' } },
      },
      runDetails: { builder: { id: BUILDKIT_BUILDER }, metadata: { invocationId: 'abc' } },
    },
    ...more,
  };
  return `${JSON.stringify(statement, null, 2)}\n`;
}

/** An index of two platforms with an attestation manifest each, as `docker buildx build --provenance` pushes it. */
export async function buildkitImage(seed: string, spec: BuildkitSpec = {}): Promise<BuildkitImage> {
  const { statement = buildkitStatement, about = (platform: Digest) => platform } = spec;
  const children = [
    await smallImage(`${seed}-amd64`),
    await smallImage(`${seed}-arm64`, { platform: { os: 'linux', architecture: 'arm64' } }),
  ];
  const platforms = children.map(({ root }) => root.descriptor.digest);
  const statements = platforms.map((platform) => Buffer.from(statement(platform)));
  const attestations = platforms.map((platform, at) => attestation(about(platform), statements[at] as Uint8Array));
  const root = jsonContent(OCI_INDEX, {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [...children, ...attestations].map(({ root: { descriptor } }) => descriptor),
  });
  return {
    root,
    manifests: [...children, ...attestations].map((child) => child.root),
    blobs: [...children.flatMap(({ blobs }) => blobs), ...attestations.flatMap(({ blobs }) => blobs)],
    platforms,
    statements,
  };
}

function attestation(about: Digest, statement: Uint8Array): { root: BuiltContent; blobs: readonly BuiltContent[] } {
  const blob = builtContent(statement, IN_TOTO);
  const config = jsonContent(OCI_CONFIG, {
    architecture: 'unknown',
    os: 'unknown',
    rootfs: { type: 'layers', diff_ids: [blob.descriptor.digest] },
  });
  const layer = { ...blob.descriptor, annotations: { [BUILDKIT_PREDICATE_TYPE]: SLSA_PROVENANCE_V1 } };
  const root = jsonContent(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: [layer],
  });
  const descriptor = {
    ...root.descriptor,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { [BUILDKIT_REFERENCE_TYPE]: BUILDKIT_ATTESTATION_MANIFEST, [BUILDKIT_REFERENCE_DIGEST]: about },
  };
  return { root: { ...root, descriptor }, blobs: [blob, config] };
}
