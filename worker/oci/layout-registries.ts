import { join } from 'node:path';
import { AppError } from '#model/errors.ts';
import { createLayoutTarget } from '#oci/layout-directory.ts';
import { readIfThere } from '#oci/layout-index.ts';
import { canonicalHost } from '#oci/registry-url.ts';
import type { Registries } from '#oci/target.ts';

/**
 * One OCI image layout in the place of every registry: references are written as they will be once it is pushed, and
 * what is read and written is in the folder. No host is ever dialled.
 * @throws AppError `config-invalid` when the folder is no image layout.
 */
export async function openLayoutRegistries(dir: string): Promise<Registries> {
  if ((await readIfThere(join(dir, 'index.json'))) === undefined) {
    throw new AppError('config-invalid', `${dir} is no OCI image layout: it has no index.json`, {
      field: '--oci-layout',
      mend: 'name the folder that was written by `docker buildx build --output type=oci,tar=false,dest=…` or `oras cp --to-oci-layout`',
    });
  }
  const target = createLayoutTarget(dir, 'single');
  return { nameOf: canonicalHost, target: () => target, close: async () => {} };
}
