import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import { OCI_EMPTY, OCI_MANIFEST } from '#model/media-types.ts';
import type { ReferrerLister, Target } from '#oci/target.ts';

/** Every referrer of a digest. */
export async function listReferrers(
  target: ReferrerLister,
  repository: string,
  subject: Digest,
): Promise<readonly Descriptor[]> {
  const found: Descriptor[] = [];
  for await (const descriptor of target.referrers(repository, subject)) found.push(descriptor);
  return found;
}

/** An artifact about `subject` whose config and layer are in the store, ready to be pushed. */
export async function referrerBytes(target: Target, repository: string, subject: Digest, text: string) {
  const config = await target.pushBlob(repository, Buffer.from('{}'), OCI_EMPTY);
  const layer = await target.pushBlob(repository, Buffer.from(text), 'text/plain');
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: 'application/vnd.example.kind',
    config,
    layers: [layer],
    subject: { mediaType: OCI_MANIFEST, digest: subject, size: 100 },
    annotations: { 'org.example.text': text },
  };
  return { bytes: Buffer.from(JSON.stringify(manifest)), layer };
}

export async function pushReferrer(
  target: Target,
  repository: string,
  subject: Digest,
  text: string,
): Promise<Descriptor> {
  const { bytes } = await referrerBytes(target, repository, subject, text);
  return await target.pushManifest(repository, sha256(bytes), bytes, OCI_MANIFEST);
}
