import { decodeBase64 } from '#crypto/base64.ts';
import type { Digest } from '#model/digest.ts';
import type { EvidenceDefect, RawEvidence, SimpleSigning } from '#model/evidence.ts';
import { COSIGN_SIGNATURE } from '#model/media-types.ts';
import { jsonBoundsProblem } from '#verification/strict-json.ts';

/** Bytes of a payload; cosign's has 300, and annotations come on top. */
const MAX_PAYLOAD_BYTES = 1024 * 1024;

/** An image signature in cosign's form (interop specification A.2): payload and signature, nothing judged. */
export interface ImageSignature {
  /** As the annotation writes it. */
  readonly base64: string;
  readonly signature: Uint8Array;
}

export type OpenedSignature =
  | { readonly ok: true; readonly value: ImageSignature }
  | { readonly ok: false; readonly defect: EvidenceDefect };

/** The signature of a layer, from its annotation. */
export function openImageSignature({ descriptor }: RawEvidence): OpenedSignature {
  const base64 = descriptor.annotations?.[COSIGN_SIGNATURE] ?? '';
  const decoded = decodeBase64(base64);
  if (base64 === '' || !decoded || decoded.alphabet !== 'standard' || !decoded.padded) {
    const message = `The annotation ${COSIGN_SIGNATURE} holds no signature in base64.`;
    return { ok: false, defect: { code: 'signature-missing', message } };
  }
  return { ok: true, value: { base64, signature: decoded.bytes } };
}

export type SimpleSigningReading =
  | { readonly ok: true; readonly signing: SimpleSigning }
  | { readonly ok: false; readonly defect: EvidenceDefect };

/** What a signed payload says: of which image, with which annotations. `critical.type` is checked by nobody. */
export function readSimpleSigning(payload: Uint8Array): SimpleSigningReading {
  const json = payload.length > MAX_PAYLOAD_BYTES || jsonBoundsProblem(payload) ? undefined : parse(payload);
  const image = memberOf(memberOf(memberOf(json, 'critical'), 'image'), 'docker-manifest-digest');
  if (typeof image !== 'string') {
    const message = 'The payload names no image (critical.image.docker-manifest-digest).';
    return { ok: false, defect: { code: 'statement-malformed', message } };
  }
  const optional = memberOf(json, 'optional');
  return { ok: true, signing: { image, annotations: isObject(optional) ? optional : {} } };
}

/** An image signature is about the image whose digest it names. */
export function imageDefect({ image }: SimpleSigning, digest: Digest): EvidenceDefect | undefined {
  if (image === digest) return undefined;
  return { code: 'subject-mismatch', message: `The signature is about ${image.slice(0, 120)}, not ${digest}.` };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
