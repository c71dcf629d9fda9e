import { constants, type KeyObject, verify } from 'node:crypto';
import { type Base64Form, decodeBase64 } from '#crypto/base64.ts';
import type { EvidenceDefect } from '#model/evidence.ts';

/** Bytes of one envelope: cosign's own limit of an attachment. */
export const MAX_ENVELOPE_BYTES = 128 * 1024 * 1024;
/** Signatures of one envelope; each costs a verification, and one is what anybody writes. */
const MAX_SIGNATURES = 100;
/** Bytes that checking all signatures may hash: each hashes the whole payload, and nothing else runs meanwhile. */
const MAX_HASHED_BYTES = 512 * 1024 * 1024;

/** A DSSE envelope (secure-systems-lab/dsse, envelope.md) as it was written: read, and nothing judged. */
export interface Envelope {
  readonly payloadType: string;
  /** Decoded. */
  readonly payload: Uint8Array;
  /** How the payload was encoded: legacy readers take only standard and padded. */
  readonly payloadForm: Base64Form;
  readonly signatures: readonly EnvelopeSignature[];
  /** Members beside payload, payloadType and signatures; nothing signs them. */
  readonly extraMembers: readonly string[];
}

export interface EnvelopeSignature {
  /** Empty when absent. */
  readonly keyid: string;
  /** Decoded. */
  readonly signature: Uint8Array;
  readonly form: Base64Form;
}

export type ParsedEnvelope =
  | { readonly ok: true; readonly envelope: Envelope }
  | { readonly ok: false; readonly defect: EvidenceDefect };

/** What is signed: DSSE pre-authentication encoding, version 1. Lengths are in bytes. */
export function pae(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
  ]);
}

/** Reads an envelope. Whether its type, encoding and signatures are good is the caller's question. */
export function parseEnvelope(bytes: Uint8Array): ParsedEnvelope {
  if (bytes.length > MAX_ENVELOPE_BYTES) return malformed(`it is larger than ${MAX_ENVELOPE_BYTES} bytes`);
  const json = parseObject(bytes);
  if (!json) return malformed('it is not a JSON object');
  const { payloadType, payload, signatures, ...extra } = json;
  if (typeof payloadType !== 'string') return malformed('payloadType is not a text');
  if (typeof payload !== 'string') return malformed('payload is not a text');
  const decoded = decodeBase64(payload);
  if (!decoded) return malformed('payload is not base64');
  const list = signatures ?? [];
  if (!Array.isArray(list)) return malformed('signatures is not a list');
  if (list.length > MAX_SIGNATURES) return malformed(`it has more than ${MAX_SIGNATURES} signatures`);
  if (list.length * decoded.bytes.length > MAX_HASHED_BYTES)
    return malformed('its signatures are too many for its size');
  const read: EnvelopeSignature[] = [];
  for (const [index, entry] of list.entries()) {
    const signature = readSignature(entry);
    if (!signature) return malformed(`signatures[${index}] has no base64 text in sig, or a keyid that is no text`);
    read.push(signature);
  }
  const { bytes: payloadBytes, ...payloadForm } = decoded;
  const extraMembers = Object.keys(extra);
  return { ok: true, envelope: { payloadType, payload: payloadBytes, payloadForm, signatures: read, extraMembers } };
}

/** Hashes that a policy can name for the signatures of a key. */
export type SignatureHash = 'sha224' | 'sha256' | 'sha384' | 'sha512';

/**
 * Whether a signature over `data` verifies as cosign's readers do it: SHA-256 whatever the key unless the policy names
 * another hash, ECDSA in DER, RSA by PKCS #1 v1.5, Ed25519 pure. Any other key, and RSA below 1024 bits, verifies
 * nothing.
 */
export function verifySignature(
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
  hash: SignatureHash = 'sha256',
): boolean {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return verify(hash, data, { key, dsaEncoding: 'der' }, signature);
    case 'rsa':
      if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < 1024) return false;
      return verify(hash, data, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
    case 'ed25519':
      return verify(null, data, key, signature);
    default:
      return false;
  }
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    // A byte order mark is no JSON, so it must stay and fail.
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function readSignature(entry: unknown): EnvelopeSignature | undefined {
  if (!isRecord(entry)) return undefined;
  const { keyid, sig } = entry;
  if (typeof sig !== 'string' || (keyid !== undefined && keyid !== null && typeof keyid !== 'string')) return undefined;
  const decoded = decodeBase64(sig);
  if (!decoded) return undefined;
  const { bytes, ...form } = decoded;
  return { keyid: keyid ?? '', signature: bytes, form };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(why: string): ParsedEnvelope {
  return { ok: false, defect: { code: 'envelope-malformed', message: `The bytes are no DSSE envelope: ${why}.` } };
}
