import { type KeyObject, sign } from 'node:crypto';
import { type Digest, sha256 } from '#model/digest.ts';
import type { EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import { COSIGN_SIGNATURE } from '#model/media-types.ts';

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';

export interface SignatureSpec {
  readonly image: Digest;
  readonly annotations?: Readonly<Record<string, unknown>> | null;
}

/** A layer of cosign's signature tag, signed for good by a key: its bytes and what stands beside them. */
export function imageSignature(key: KeyObject, { image, annotations = null }: SignatureSpec) {
  const payload = {
    critical: {
      identity: { 'docker-reference': 'registry.test/team/app' },
      image: { 'docker-manifest-digest': image },
      type: 'cosign container image signature',
    },
    optional: annotations,
  };
  const bytes = Buffer.from(JSON.stringify(payload));
  return {
    bytes,
    descriptor: {
      mediaType: SIMPLE_SIGNING,
      digest: sha256(bytes),
      size: bytes.length,
      annotations: { [COSIGN_SIGNATURE]: sign('sha256', bytes, key).toString('base64') },
    },
  };
}

/** The same as the storage room reads it. */
export function signatureEvidence(location: EvidenceLocation, key: KeyObject, spec: SignatureSpec): RawEvidence {
  const layer = imageSignature(key, spec);
  return { location, layout: 'cosign-tag', kind: 'image-signature', manifestDigest: sha256('a manifest'), ...layer };
}
