import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { sha256Hex } from '#model/digest.ts';
import type { RawEvidence } from '#model/evidence.ts';
import { COSIGN_BUNDLE, COSIGN_CERTIFICATE } from '#model/media-types.ts';

export interface EntrySpec {
  /** PEM of the verifier; absent: the certificate of the layer. */
  readonly verifier?: string;
  readonly integratedTime?: Date;
  /** Changes the entry before the log signs it. */
  readonly edit?: (entry: { kind: string; apiVersion: string; spec: Record<string, unknown> }) => object;
}

/** A Rekor v1 log with a key of its own, as far as an offline verifier sees it. */
export function createRekorLog() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const logID = publicKeyFingerprint(publicKey);
  return {
    pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    /** The annotation of an entry of kind dsse about a layer. */
    annotation(raw: RawEvidence, { verifier, integratedTime, edit }: EntrySpec = {}): string {
      const signer = verifier ?? raw.descriptor.annotations?.[COSIGN_CERTIFICATE] ?? '';
      const { payload: signed, signature } = envelopeOf(raw);
      const entry = {
        apiVersion: '0.0.1',
        kind: 'dsse',
        spec: {
          envelopeHash: { algorithm: 'sha256', value: sha256Hex(raw.bytes ?? '') },
          payloadHash: { algorithm: 'sha256', value: sha256Hex(signed) },
          signatures: [{ signature, verifier: Buffer.from(signer).toString('base64') }],
        },
      };
      const body = Buffer.from(JSON.stringify(edit ? edit(entry) : entry)).toString('base64');
      const payload = {
        body,
        integratedTime: Math.floor((integratedTime ?? new Date('2025-06-01T00:00:00Z')).getTime() / 1000),
        logIndex: 7,
        logID,
      };
      const { integratedTime: time, logIndex } = payload;
      const promised = JSON.stringify({ body, integratedTime: time, logID, logIndex });
      const promise = sign('sha256', Buffer.from(promised), privateKey).toString('base64');
      return JSON.stringify({ SignedEntryTimestamp: promise, Payload: payload });
    },
    /** The layer with such an entry. */
    log(raw: RawEvidence, spec?: EntrySpec): RawEvidence {
      return withAnnotation(raw, COSIGN_BUNDLE, this.annotation(raw, spec));
    },
  };
}

function envelopeOf({ bytes }: RawEvidence): { readonly payload: Buffer; readonly signature: string } {
  const { payload, signatures } = JSON.parse(Buffer.from(bytes ?? '').toString('utf8'));
  return { payload: Buffer.from(payload, 'base64'), signature: signatures[0].sig };
}

export function withAnnotation(raw: RawEvidence, name: string, value: string): RawEvidence {
  const annotations = { ...raw.descriptor.annotations, [name]: value };
  return { ...raw, descriptor: { ...raw.descriptor, annotations } };
}

/** PEM of a public key. */
export function publicPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}
