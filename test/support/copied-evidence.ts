import { setTimeout as delay } from 'node:timers/promises';
import { createSerialLock } from '#cli/copy/serial-lock.ts';
import { noOwnPushes } from '#cli/local-engine.ts';
import type { CopyPorts } from '#copy/copy-ports.ts';
import { createPace } from '#copy/pace.ts';
import { createPersist } from '#copy/persist.ts';
import type { Pair, Place } from '#copy/place.ts';
import { createBlobCarrier } from '#copy/transfer.ts';
import { type Digest, digestTag, sha256 } from '#model/digest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '#model/media-types.ts';
import type { Target } from '#oci/target.ts';
import { type Attachment, junkAttachment, overwriteAttached } from './attachments.ts';
import { pushReferrer } from './referrers.ts';
import { push, smallImage, smallIndex } from './small-images.ts';

/** Ports of a run in this process. */
export function copyPorts(more: Partial<CopyPorts> = {}): CopyPorts {
  const sleep = (ms: number, signal?: AbortSignal) => delay(ms, undefined, signal ? { signal } : {});
  const pace = createPace({ now: () => performance.now(), sleep });
  const persist = createPersist({ pace, sleep });
  const carrier = createBlobCarrier({ pace, persist, concurrency: 4 });
  return { lock: createSerialLock(), ownPushes: noOwnPushes, carrier, persist, pace, ...more };
}

export function place(target: Target, registry: string, repository: string): Place {
  return { target, registry, repository };
}

export function pair(from: Place, to: Place): readonly [Pair] {
  return [{ from, to }];
}

/** An image with evidence of every kind, as tools leave it behind. */
export interface EvidencedImage {
  readonly digest: Digest;
  readonly platforms: readonly Digest[];
  /** What refers to the index, to a platform, and to the first of these. */
  readonly referrers: readonly { readonly subject: Digest; readonly digest: Digest }[];
  readonly cosignTags: readonly string[];
  /** All manifests by digest. */
  readonly manifests: readonly Digest[];
}

/**
 * An index of two platforms and a builder's attestation manifest, with cosign's tags of the index and of a platform, and
 * referrers of the index, of a platform and of a referrer.
 */
export async function pushEvidencedImage(
  target: Target,
  repository: string,
  tag: string,
  seed = tag,
): Promise<EvidencedImage> {
  const built = await smallIndex(seed);
  await push(target, repository, 'building', built);
  const children = built.manifests.map(({ descriptor }) => descriptor);
  const [first, second] = children.map(({ digest }) => digest);
  if (!first || !second) throw new Error('an index of two platforms');
  const builder = await pushManifest(target, repository, `buildkit ${seed}`);
  const listed = { ...builder, platform: { os: 'unknown', architecture: 'unknown' } };
  const index = encode({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...children, listed] });
  const { digest } = await target.pushManifest(repository, tag, index, OCI_INDEX);
  await target.deleteManifest(repository, built.root.descriptor.digest);
  await overwriteAttached(target, repository, digest, [junkAttachment(`att of ${seed}`), junkAttachment('shared')]);
  await overwriteAttached(target, repository, first, [junkAttachment(`att of a platform of ${seed}`)]);
  const cosignTags = [digestTag(digest, '.att'), digestTag(first, '.att')];
  for (const [about, suffix] of [[digest, '.sig'] as const, [second, '.sbom'] as const]) {
    cosignTags.push(digestTag(about, suffix));
    await pushTag(target, repository, digestTag(about, suffix), [junkAttachment(`${suffix} of ${seed}`)]);
  }
  const ofIndex = await pushReferrer(target, repository, digest, `bundle of ${seed}`);
  const ofPlatform = await pushReferrer(target, repository, second, `bundle of a platform of ${seed}`);
  const ofReferrer = await pushReferrer(target, repository, ofIndex.digest, `about the bundle of ${seed}`);
  return {
    digest,
    platforms: [first, second],
    referrers: [
      { subject: digest, digest: ofIndex.digest },
      { subject: second, digest: ofPlatform.digest },
      { subject: ofIndex.digest, digest: ofReferrer.digest },
    ],
    cosignTags,
    manifests: [digest, first, second, builder.digest, ofIndex.digest, ofPlatform.digest, ofReferrer.digest],
  };
}

/** A manifest at a tag with these layers. */
export async function pushTag(
  target: Target,
  repository: string,
  tag: string,
  attachments: readonly Attachment[],
): Promise<Digest> {
  for (const { bytes, descriptor } of attachments) {
    if (bytes) await target.pushBlob(repository, bytes, descriptor.mediaType);
  }
  const config = await target.pushBlob(repository, encode({ tag }), OCI_CONFIG);
  const layers = attachments.map(({ descriptor }) => descriptor);
  const bytes = encode({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers });
  return (await target.pushManifest(repository, tag, bytes, OCI_MANIFEST)).digest;
}

/** A single image at a tag. */
export async function pushPlainImage(target: Target, repository: string, tag: string): Promise<Digest> {
  return await push(target, repository, tag, await smallImage(tag));
}

async function pushManifest(target: Target, repository: string, text: string) {
  const config = await target.pushBlob(repository, encode({ text }), OCI_CONFIG);
  const layer = await target.pushBlob(repository, Buffer.from(text), 'application/vnd.in-toto+json');
  const bytes = encode({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] });
  return await target.pushManifest(repository, sha256(bytes), bytes, OCI_MANIFEST);
}

function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
