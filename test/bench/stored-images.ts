import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuiltContent, buildImage, buildLayer } from '#cli/demo/image-writer.ts';
import { debianItems } from '../support/image.ts';
import { AMD64 } from '../support/small-images.ts';

const TAGS_EACH = 500;

/**
 * Puts small images straight into the storage of a Distribution registry (its filesystem layout, version 2), as a push
 * of each would: tens of thousands take a minute so, and the better part of an hour over HTTP.
 */
export async function storeImages(storage: string, count: number): Promise<void> {
  const root = join(storage, 'docker/registry/v2');
  const layer = await buildLayer(debianItems({ bash: '5.2-1' }));
  storeBlob(root, layer);
  for (let at = 0; at < count; at++) {
    const repository = join(root, 'repositories', 'old', `app-${Math.floor(at / TAGS_EACH)}`);
    const image = buildImage({
      layers: [layer],
      platform: AMD64,
      created: '2026-01-02T03:04:05Z',
      labels: { at: `${at}` },
    });
    const digest = image.root.descriptor.digest;
    for (const blob of image.blobs) {
      if (blob !== layer) storeBlob(root, blob);
      link(join(repository, '_layers', ...pathOf(blob.descriptor.digest)), blob.descriptor.digest);
    }
    storeBlob(root, image.root);
    link(join(repository, '_manifests/revisions', ...pathOf(digest)), digest);
    const tag = join(repository, '_manifests/tags', `1.${at}`);
    link(join(tag, 'current'), digest);
    link(join(tag, 'index', ...pathOf(digest)), digest);
  }
}

function storeBlob(root: string, { descriptor, bytes }: BuiltContent): void {
  const [algorithm = '', hex = ''] = pathOf(descriptor.digest);
  const folder = join(root, 'blobs', algorithm, hex.slice(0, 2), hex);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'data'), bytes);
}

function link(folder: string, digest: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'link'), digest);
}

function pathOf(digest: string): readonly string[] {
  return digest.split(':');
}
