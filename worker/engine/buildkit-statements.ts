import type { Subject } from '#model/subject.ts';
import { parseManifest } from '#oci/manifest.ts';
import type { ReadTarget } from '#oci/target.ts';
import { type CheckedBuildkitStatement, checkBuildkitStatements } from '#predicates/buildkit.ts';
import { readBlob } from '#storage/read-blob.ts';

/** A BuildKit SBOM of a large image has some MiB. */
const MAX_STATEMENT_BYTES = 32 * 1024 * 1024;

/**
 * Reads and checks the statements that BuildKit left in the index. They are unsigned: they are named by digest in our
 * provenance with the result of the check, never signed as our own.
 */
export async function readBuildkitStatements(
  source: ReadTarget,
  subject: Subject,
  signal?: AbortSignal,
): Promise<readonly CheckedBuildkitStatement[]> {
  const checked: CheckedBuildkitStatement[] = [];
  for (const attestation of subject.buildkit) {
    const stored = await source.manifest(subject.image.repository, attestation.descriptor.digest, signal);
    const manifest = parseManifest(stored);
    if (manifest.kind !== 'manifest') continue;
    const blobs = new Map<string, Uint8Array>();
    for (const layer of manifest.layers) {
      blobs.set(layer.digest, await readBlob(source, subject.image.repository, layer, MAX_STATEMENT_BYTES, signal));
    }
    checked.push(...checkBuildkitStatements({ subject, attestation, layers: manifest.layers, blobs }));
  }
  return checked;
}
