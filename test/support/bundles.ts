import { generateKeyPairSync } from 'node:crypto';
import { type Digest, sha256 } from '#model/digest.ts';
import type { EvidenceLocation } from '#model/evidence.ts';
import { OCI_EMPTY, OCI_MANIFEST, SIGSTORE_BUNDLE_V03 } from '#model/media-types.ts';
import type { Lease, OwnPushes } from '#model/ports.ts';
import type { Target } from '#oci/target.ts';
import { bundleLayer } from '#storage/bundle-manifest.ts';
import { signedStatement } from './signed-statement.ts';

export const REPOSITORY = 'team/app';
export const SUBJECT: Digest = sha256('an image');
const CREATED = new Date('2026-08-20T10:00:00Z');
export const location: EvidenceLocation = { registry: 'registry.test', repository: REPOSITORY, digest: SUBJECT };
export const subject = { mediaType: OCI_MANIFEST, digest: SUBJECT, size: 100 };
export const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A signed bundle about the image; `text` makes it one of its own. */
export const layerOf = (text: string) => bundleLayer(signedStatement(privateKey, SUBJECT, text), CREATED);

function leaseThat(check: () => Promise<void>): Lease {
  return { fence: 1, signal: new AbortController().signal, check, [Symbol.asyncDispose]: async () => {} };
}

/** What a write needs, and what it announced and checked on the way. */
export function writing(target: Target, check: () => Promise<void> = async () => {}) {
  const announced: string[] = [];
  const ownPushes: OwnPushes = {
    announce: async (repository, digest) => {
      announced.push(`${repository}@${digest}`);
    },
    has: async (repository, digest) => announced.includes(`${repository}@${digest}`),
    over: async () => undefined,
  };
  return { context: { target, lease: leaseThat(check), ownPushes }, announced };
}

interface Layer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** A referrer whose layers say of themselves what `claim` makes of them. */
export async function manifestWith(
  target: Target,
  layers: readonly ReturnType<typeof layerOf>[],
  claim: (layer: Layer) => Layer = (layer) => layer,
): Promise<Digest> {
  const config = await target.pushBlob(REPOSITORY, Buffer.from('{}'), OCI_EMPTY);
  const claimed: Layer[] = [];
  for (const { bytes, descriptor } of layers) {
    const { mediaType, digest, size } = await target.pushBlob(REPOSITORY, bytes, descriptor.mediaType);
    claimed.push(claim({ mediaType, digest, size }));
  }
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: SIGSTORE_BUNDLE_V03, config, subject };
  const bytes = Buffer.from(JSON.stringify({ ...manifest, layers: claimed }));
  return (await target.pushManifest(REPOSITORY, sha256(bytes), bytes, OCI_MANIFEST)).digest;
}
