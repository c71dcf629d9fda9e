import assert from 'node:assert/strict';
import type { Digest } from '#model/digest.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '#model/media-types.ts';
import type { Target } from '#oci/target.ts';

/** Writes, resolves and lists a small image `v1`: every right but that to delete. */
export async function roundTrip(target: Target, repository: string): Promise<Digest> {
  const config = await target.pushBlob(repository, Buffer.from('{}'), OCI_CONFIG);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }));
  const { digest } = await target.pushManifest(repository, 'v1', bytes, OCI_MANIFEST);
  assert.equal((await target.resolve(repository, 'v1')).digest, digest);
  const tags: string[] = [];
  for await (const tag of target.tags(repository)) tags.push(tag);
  assert.deepEqual(tags, ['v1']);
  return digest;
}
