import { type KeyObject, sign } from 'node:crypto';
import { pae } from '#crypto/dsse.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import type { EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import {
  COSIGN_CERTIFICATE,
  COSIGN_CHAIN,
  COSIGN_SIGNATURE,
  DSSE_ENVELOPE,
  IN_TOTO,
  SLSA_PROVENANCE_V1,
  STATEMENT_V1,
} from '#model/media-types.ts';
import type { Issued, Pki } from './pki.ts';

export const SUBJECT: Digest = sha256('an image');
export const LOCATION: EvidenceLocation = {
  registry: 'registry.test',
  repository: 'team/app',
  digest: SUBJECT,
};

export interface EvidenceSpec {
  readonly location?: EvidenceLocation;
  readonly type?: string;
  readonly predicate?: unknown;
  readonly digest?: Digest;
  /** The whole payload, in place of a sound statement. */
  readonly payload?: string | Uint8Array;
  /** Added to the envelope beside its three members. */
  readonly extraMembers?: Readonly<Record<string, unknown>>;
  /** Added to the annotations; null takes one away. */
  readonly annotations?: Readonly<Record<string, string | null>>;
}

/** A layer of cosign's attestation tag, signed for good by a certificate of the CA. */
export function signedEvidence(
  { leaf, chainPem }: Pick<Pki, 'leaf' | 'chainPem'>,
  spec: EvidenceSpec = {},
): RawEvidence {
  return layer(leaf.key, { [COSIGN_CERTIFICATE]: leaf.pem, [COSIGN_CHAIN]: chainPem }, spec);
}

/** The same, signed by a plain key. */
export function keyEvidence({ key }: Pick<Issued, 'key'>, spec: EvidenceSpec = {}): RawEvidence {
  return layer(key, {}, spec);
}

function layer(key: KeyObject, certificates: Readonly<Record<string, string>>, spec: EvidenceSpec): RawEvidence {
  const payload = Buffer.from(spec.payload ?? JSON.stringify(statementOf(spec)));
  const signature = sign('sha256', pae(IN_TOTO, payload), key);
  const envelope = {
    payloadType: IN_TOTO,
    payload: payload.toString('base64'),
    signatures: [{ keyid: '', sig: signature.toString('base64') }],
    ...spec.extraMembers,
  };
  const bytes = Buffer.from(JSON.stringify(envelope));
  const annotations = { [COSIGN_SIGNATURE]: '', ...certificates, ...spec.annotations };
  return {
    location: spec.location ?? LOCATION,
    layout: 'cosign-tag',
    manifestDigest: sha256('a manifest'),
    descriptor: {
      mediaType: DSSE_ENVELOPE,
      digest: sha256(bytes),
      size: bytes.length,
      annotations: Object.fromEntries(
        Object.entries(annotations).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
      ),
    },
    bytes,
  };
}

export function statementOf({ type, predicate, digest }: EvidenceSpec = {}) {
  return {
    _type: STATEMENT_V1,
    subject: [{ name: 'registry.test/team/app', digest: { sha256: (digest ?? SUBJECT).slice('sha256:'.length) } }],
    predicateType: type ?? SLSA_PROVENANCE_V1,
    predicate: predicate ?? { runDetails: { builder: { id: 'https://builder.test/v1' } } },
  };
}
