import { type Descriptor, formatPlatform } from '#model/descriptor.ts';
import { type Digest, digestHex } from '#model/digest.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import { IN_TOTO } from '#model/media-types.ts';
import type { PlatformImage, Subject } from '#model/subject.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import type { BuildkitFinding } from '#predicates/buildkit.ts';
import { observedTexts } from '#predicates/observed-text.ts';
import { DEFAULT_BUILDER_ID, OBSERVATION_BUILD_TYPE, type ObserverBuilderId } from '#predicates/observer.ts';

/** in-toto ResourceDescriptor. */
export interface ResourceDescriptor {
  readonly name?: string;
  readonly uri?: string;
  readonly digest: Readonly<Record<string, string>>;
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, string | boolean>>;
}

/** SLSA provenance v1, as far as an observer may fill it. */
export interface ProvenancePredicate {
  readonly buildDefinition: {
    readonly buildType: typeof OBSERVATION_BUILD_TYPE;
    readonly externalParameters: { readonly image: string };
    readonly internalParameters: { readonly observed: object };
    readonly resolvedDependencies: readonly ResourceDescriptor[];
  };
  readonly runDetails: {
    readonly builder: { readonly id: ObserverBuilderId; readonly version: Readonly<Record<string, string>> };
    readonly byproducts?: readonly ResourceDescriptor[];
  };
}

export interface ProvenanceInput {
  readonly subject: Subject;
  /** What the checks of BuildKit's statements said; empty for an image without any. */
  readonly buildkit: readonly BuildkitFinding[];
  readonly builderId?: ObserverBuilderId;
}

/**
 * Honest provenance of an image whose build was not seen (interop E.3): "observed at the registry", by this program,
 * under a builder id of its own. It names what was read by digest, repeats labels as unverified observations, and claims
 * no build platform, source, parameters or times. A function of repository, digest, configuration and tool version.
 */
export function provenancePredicate({ subject, buildkit, builderId }: ProvenanceInput): ProvenancePredicate {
  const byproducts = buildkit.map(byproduct);
  return {
    buildDefinition: {
      buildType: OBSERVATION_BUILD_TYPE,
      externalParameters: { image: imageUri(subject, subject.image.digest) },
      internalParameters: { observed: observation(subject) },
      resolvedDependencies: readResources(subject),
    },
    runDetails: {
      builder: { id: builderId ?? DEFAULT_BUILDER_ID, version: { [TOOL_NAME]: TOOL_VERSION } },
      ...(byproducts.length === 0 ? {} : { byproducts }),
    },
  };
}

/** Claims of whoever pushed the image. `verified: false` is part of what is signed. */
function observation({ kind, platforms }: Subject): object {
  return {
    verified: false,
    kind,
    platforms: platforms.map(({ descriptor, config, annotations }) => {
      // What the index says of a platform is no function of that platform's digest.
      const platform = config.platform ?? (kind === 'index' ? descriptor.platform : undefined);
      return {
        digest: descriptor.digest,
        ...(platform ? { platform: formatPlatform(platform).toWellFormed() } : {}),
        labels: observedTexts(config.labels),
        annotations: observedTexts(annotations),
      };
    }),
  };
}

/**
 * Everything that was read for this statement. `uri` is `oci://registry/repository@digest` for manifests and blobs
 * alike; `name` says which of them it is.
 */
function readResources(subject: Subject): ResourceDescriptor[] {
  const index = subject.kind === 'index' ? [resource(subject, 'index', subject.descriptor)] : [];
  const all = [...index, ...subject.platforms.flatMap((platform) => platformResources(subject, platform))];
  // Platforms share layers; each content is named once.
  return [...new Map(all.map((entry) => [entry.uri, entry])).values()];
}

function platformResources(subject: Subject, { descriptor, config, layers }: PlatformImage): ResourceDescriptor[] {
  return [
    resource(subject, 'manifest', descriptor),
    resource(subject, 'config', { digest: config.digest }),
    ...layers.map((layer) => resource(subject, 'layer', layer)),
  ];
}

function resource(
  subject: Subject,
  name: string,
  { digest, mediaType }: Pick<Descriptor, 'digest'> & Partial<Pick<Descriptor, 'mediaType'>>,
): ResourceDescriptor {
  return {
    name,
    uri: `oci://${imageUri(subject, digest)}`,
    digest: digestSet(digest),
    ...(mediaType === undefined ? {} : { mediaType: mediaType.toWellFormed() }),
  };
}

/** BuildKit's statements by digest, each with what its check said; they are not signed again. */
function byproduct(finding: BuildkitFinding): ResourceDescriptor {
  return {
    name: 'buildkit-statement',
    digest: digestSet(finding.digest),
    mediaType: IN_TOTO,
    annotations: {
      ...(finding.predicateType === undefined
        ? {}
        : { predicateType: finding.predicateType.slice(0, 256).toWellFormed() }),
      ...(finding.platformDigest === undefined ? {} : { platform: finding.platformDigest }),
      signed: false,
      check: finding.ok ? 'consistent' : finding.why,
      ...(!finding.ok && finding.tampering ? { tampering: true } : {}),
    },
  };
}

function imageUri({ image }: Subject, digest: Digest): string {
  return `${formatRepositoryRef(image)}@${digest}`;
}

function digestSet(digest: Digest): Record<string, string> {
  return { [digest.slice(0, digest.indexOf(':'))]: digestHex(digest) };
}
