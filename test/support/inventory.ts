import { type BuiltLayer, buildLayer, type LayerFormat } from '#cli/demo/image-writer.ts';
import type { TarItem } from '#cli/demo/tar-writer.ts';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import type { Inventory } from '#sbom/inventory.ts';
import { type InventoryRequest, takeInventory } from '#sbom/take-inventory.ts';

export const REPOSITORY = 'team/app';

/** A memory registry that tells which blobs were asked for. */
export async function stored(layers: readonly BuiltLayer[]) {
  const target = createMemoryTarget();
  const fetched: Digest[] = [];
  for (const { bytes, descriptor } of layers) await target.pushBlob(REPOSITORY, bytes, descriptor.mediaType);
  const blob = (repository: string, wanted: Pick<Descriptor, 'digest' | 'size'>) => {
    fetched.push(wanted.digest);
    return target.blob(repository, wanted);
  };
  return { source: { blob }, fetched };
}

export async function take(
  contents: readonly (readonly TarItem[])[],
  more: Partial<InventoryRequest> = {},
  format: LayerFormat = 'gzip',
): Promise<Inventory> {
  const layers = await Promise.all(contents.map((items) => buildLayer(items, format)));
  const { source } = await stored(layers);
  return takeInventory({ source, repository: REPOSITORY, layers: layers.map(({ descriptor }) => descriptor), ...more });
}

export function purls({ packages }: Inventory): string[] {
  return packages.map(({ purl }) => purl);
}
