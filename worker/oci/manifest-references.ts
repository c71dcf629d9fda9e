import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { parseManifest } from '#oci/manifest.ts';
import type { StoredManifest } from '#oci/target.ts';

/**
 * What a manifest needs in its own repository before a registry takes it: its config and layers, or the manifests that
 * it lists. Kinds that are not known need nothing.
 */
export function manifestReferences(stored: StoredManifest): { blobs: readonly Digest[]; manifests: readonly Digest[] } {
  try {
    const parsed = parseManifest(stored);
    if (parsed.kind === 'index') return { blobs: [], manifests: parsed.manifests.map(({ digest }) => digest) };
    return { blobs: [parsed.config, ...parsed.layers].map(({ digest }) => digest), manifests: [] };
  } catch (error) {
    if (error instanceof AppError && error.code === 'media-type-unsupported') return { blobs: [], manifests: [] };
    throw error;
  }
}

/** As a registry refuses a manifest whose content was not pushed before it. */
export function missingReference(digest: Digest, kind: 'blob' | 'manifest'): AppError {
  return new AppError('not-found', `${kind} ${digest}, which the manifest names, is not in the repository`);
}
