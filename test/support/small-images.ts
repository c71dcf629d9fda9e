import { type BuiltImage, buildImage, buildIndex, buildLayer, type ImageContent } from '#cli/demo/image-writer.ts';
import { pushImage } from '#cli/demo/push-image.ts';
import type { Platform } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import type { Pusher } from '#oci/target.ts';
import { debianItems, npmItem } from './image.ts';

export const AMD64: Platform = { os: 'linux', architecture: 'amd64' };
export const ARM64: Platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };

/** A Debian image with one npm package; `seed` makes another digest of it. */
export async function smallImage(seed: string, more: Partial<ImageContent> = {}): Promise<BuiltImage> {
  const layers = [
    await buildLayer(debianItems({ bash: '5.2-1', [`seed-${seed}`]: '1.0' })),
    await buildLayer([npmItem('srv/app', 'left-pad', '1.3.0')]),
  ];
  return buildImage({ layers, platform: AMD64, created: '2026-01-02T03:04:05Z', ...more });
}

/** An index of two platforms. */
export async function smallIndex(seed: string, form: 'oci' | 'docker' = 'oci'): Promise<BuiltImage> {
  const amd64 = await smallImage(`${seed}-amd64`, { form });
  const arm64 = await smallImage(`${seed}-arm64`, { form, platform: ARM64 });
  return buildIndex([amd64, arm64], form);
}

/** Pushes and answers the digest that the tag names. */
export async function push(target: Pusher, repository: string, tag: string, image: BuiltImage): Promise<Digest> {
  return (await pushImage(target, repository, tag, image)).digest;
}
