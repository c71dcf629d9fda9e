import { readImageConfig } from '#engine/image-config.ts';
import { type Descriptor, formatPlatform, type Platform } from '#model/descriptor.ts';
import { AppError } from '#model/errors.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import { IMAGE_CONFIGS, IMAGE_INDEXES, IMAGE_MANIFESTS } from '#model/media-types.ts';
import type { PlatformImage, Subject } from '#model/subject.ts';
import { type ImageIndex, type ImageManifest, parseManifest } from '#oci/manifest.ts';
import type { ReadTarget } from '#oci/target.ts';
import { isBuildkitAttestation } from '#predicates/buildkit.ts';

/** Platforms of one index: real ones have a dozen. */
const MAX_PLATFORMS = 100;
/**
 * Bytes of manifests and configs of all platforms together. All of them are held while the image is worked on, at many
 * times their size when they are made of small labels; real ones are some tens of KiB a platform.
 */
const MAX_DESCRIBED_BYTES = 16 * 1024 * 1024;

/** Layer types that only evidence has: such a manifest is attested never, or every attestation would get its own. */
const EVIDENCE_LAYER =
  /^(?:text\/spdx|application\/(?:spdx|vnd\.(?:in-toto|dsse\.|dev\.cosign|dev\.sigstore|cyclonedx|syft)))/;

/**
 * Resolves a reference to the image that it names now. `image.registry` is the configured name; a digest in the
 * reference is taken as it is, whatever its tag points to meanwhile.
 * @throws AppError `not-found`, `not-an-image`, `index-nested`, `manifest-malformed` and the registry errors.
 */
export async function resolveSubject(source: ReadTarget, image: ImageRef, signal?: AbortSignal): Promise<Subject> {
  const stored = await source.manifest(image.repository, image.digest ?? image.tag ?? 'latest', signal);
  const named = { ...image, digest: stored.descriptor.digest };
  const manifest = parseManifest(stored);
  if (manifest.kind === 'manifest') {
    refuseEvidence(manifest, named);
    const platform = await platformImage(source, image.repository, stored.descriptor, manifest, signal);
    return { image: named, descriptor: stored.descriptor, kind: 'image', platforms: [platform], children: [] };
  }
  refuseArtifact(manifest, named);
  const platforms = await platformsOf(source, named, manifest, signal);
  return { image: named, descriptor: stored.descriptor, kind: 'index', platforms, children: manifest.manifests };
}

async function platformsOf(
  source: ReadTarget,
  image: ImageRef,
  index: ImageIndex,
  signal?: AbortSignal,
): Promise<readonly PlatformImage[]> {
  const candidates = index.manifests.filter((child) => isImageChild(child) && !isAttestationManifest(child));
  // A manifest that is listed for several platforms is one image.
  const children = [...new Map(candidates.map((child) => [child.digest, child])).values()];
  if (children.length > MAX_PLATFORMS) {
    throw new AppError('too-large', `${formatImageRef(image)} lists ${children.length} platforms`);
  }
  const platforms: PlatformImage[] = [];
  let described = 0;
  for (const child of children) {
    const stored = await whole(image, child, () => source.manifest(image.repository, child.digest, signal));
    const manifest = parseManifest(stored);
    if (manifest.kind === 'index') {
      throw new AppError('index-nested', `${formatImageRef(image)} lists another index, ${child.digest}`);
    }
    if (whyNoImage(manifest) !== undefined) continue;
    described += stored.descriptor.size + manifest.config.size;
    if (described > MAX_DESCRIBED_BYTES) {
      throw new AppError('too-large', `${formatImageRef(image)}: its manifests and configs exceed 16 MiB together`);
    }
    const descriptor = child.platform ? { ...stored.descriptor, platform: child.platform } : stored.descriptor;
    platforms.push(
      await whole(image, child, () => platformImage(source, image.repository, descriptor, manifest, signal)),
    );
  }
  if (platforms.length === 0) throw notAnImage(image, 'its index lists no image');
  return platforms;
}

/** What is not there of a child is told with its name: of a dozen platforms it is one. */
async function whole<Result>(image: ImageRef, child: Descriptor, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'not-found') throw error;
    const platform = child.platform ? `${formatPlatform(child.platform)} ` : '';
    const why = `${formatImageRef(image)} lists ${platform}${child.digest}, which is not whole in the registry`;
    throw new AppError('child-missing', `${why}: ${error.message}`, {
      mend: 'push that platform again, or an index without it',
      cause: error,
    });
  }
}

async function platformImage(
  source: ReadTarget,
  repository: string,
  descriptor: Descriptor,
  manifest: ImageManifest,
  signal?: AbortSignal,
): Promise<PlatformImage> {
  const config = await readImageConfig(source, repository, manifest.config, signal);
  return { descriptor, layers: manifest.layers, config, annotations: manifest.annotations ?? {} };
}

function refuseEvidence(manifest: ImageManifest, image: ImageRef): void {
  const why = whyNoImage(manifest);
  if (why !== undefined) throw notAnImage(image, why);
}

function refuseArtifact(index: ImageIndex, image: ImageRef): void {
  if (index.subject) throw notAnImage(image, `it refers to ${index.subject.digest}`);
  if (index.artifactType) throw notAnImage(image, `its artifactType is ${index.artifactType}`);
}

/** Why a manifest is no image, in words: an artifact, a referrer or evidence (the defences against our own echo). */
function whyNoImage(manifest: ImageManifest): string | undefined {
  if (manifest.subject) return `it refers to ${manifest.subject.digest}`;
  if (manifest.artifactType) return `its artifactType is ${manifest.artifactType}`;
  if (!IMAGE_CONFIGS.includes(manifest.config.mediaType)) return `its config is ${manifest.config.mediaType}`;
  const evidence = manifest.layers.find((layer) => EVIDENCE_LAYER.test(layer.mediaType));
  return evidence ? `it holds evidence (${evidence.mediaType})` : undefined;
}

/** What an index lists beside images: artifacts of other kinds, which no runtime would start. */
function isImageChild({ mediaType }: Descriptor): boolean {
  return IMAGE_MANIFESTS.includes(mediaType) || IMAGE_INDEXES.includes(mediaType);
}

/** `unknown/unknown` children are evidence, whoever wrote them. */
function isAttestationManifest(child: Descriptor): boolean {
  return isBuildkitAttestation(child) || (child.platform !== undefined && isUnknown(child.platform));
}

function isUnknown(platform: Platform): boolean {
  return formatPlatform(platform) === 'unknown/unknown';
}

function notAnImage(image: ImageRef, why: string): AppError {
  return new AppError('not-an-image', `${formatImageRef(image)} is no image: ${why}`);
}
