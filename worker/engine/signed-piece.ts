import { X509Certificate } from 'node:crypto';
import { pae, parseEnvelope } from '#crypto/dsse.ts';
import type { RawEvidence } from '#model/evidence.ts';
import { COSIGN_BUNDLE, COSIGN_CERTIFICATE, COSIGN_RFC3161 } from '#model/media-types.ts';
import { parseBundle, type SigstoreBundle } from '#verification/bundle.ts';
import { openImageSignature } from '#verification/simple-signing.ts';
import { jsonBoundsProblem } from '#verification/strict-json.ts';

/** What was signed in a stored piece, and with what: read, and nothing believed. */
export interface SignedPiece {
  readonly payload: Uint8Array;
  /** The bytes that the signatures are over. */
  readonly signed: Uint8Array;
  readonly signatures: readonly Uint8Array[];
  /** The certificate that came with it. */
  readonly certificate?: X509Certificate;
  /** Log entries and timestamps that came with it. */
  readonly testimonies: { readonly log: number; readonly timestamps: number };
}

const pieces = new WeakMap<RawEvidence, { readonly piece: SignedPiece | undefined }>();

/**
 * Anybody may have put these bytes there: they are bounded before they are parsed. Undefined for what is no such piece.
 * Each is parsed once: every wish of a location looks at every piece.
 */
export function readSignedPiece(raw: RawEvidence): SignedPiece | undefined {
  const known = pieces.get(raw) ?? { piece: parsePiece(raw) };
  pieces.set(raw, known);
  return known.piece;
}

function parsePiece(raw: RawEvidence): SignedPiece | undefined {
  const { bytes } = raw;
  if (!bytes || jsonBoundsProblem(bytes) !== undefined) return undefined;
  if (raw.layout === 'bundle') return bundlePiece(bytes);
  return raw.kind === 'image-signature' ? imagePiece(raw, bytes) : envelopePiece(raw, bytes);
}

function envelopePiece(raw: RawEvidence, bytes: Uint8Array): SignedPiece | undefined {
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) return undefined;
  const { payloadType, payload, signatures } = parsed.envelope;
  return {
    payload,
    signed: pae(payloadType, payload),
    signatures: signatures.map(({ signature }) => signature),
    ...besideTag(raw),
  };
}

function imagePiece(raw: RawEvidence, bytes: Uint8Array): SignedPiece | undefined {
  const opened = openImageSignature(raw);
  if (!opened.ok) return undefined;
  return { payload: bytes, signed: bytes, signatures: [opened.value.signature], ...besideTag(raw) };
}

function bundlePiece(bytes: Uint8Array): SignedPiece | undefined {
  const parsed = parseBundle(bytes, 'strict');
  if (!parsed.ok || parsed.bundle.content.kind !== 'envelope') return undefined;
  const { signer, content, logEntries, timestamps } = parsed.bundle;
  const certificate = certificateOf(signer);
  return {
    payload: content.payload,
    signed: pae(content.payloadType, content.payload),
    signatures: content.signatures.map(({ signature }) => signature),
    ...(certificate ? { certificate } : {}),
    testimonies: { log: logEntries.length, timestamps: timestamps.length },
  };
}

function besideTag({ descriptor }: RawEvidence): Pick<SignedPiece, 'certificate' | 'testimonies'> {
  const notes = descriptor.annotations ?? {};
  const certificate = readCertificate(notes[COSIGN_CERTIFICATE] ?? '');
  return {
    ...(certificate ? { certificate } : {}),
    testimonies: { log: notes[COSIGN_BUNDLE] ? 1 : 0, timestamps: notes[COSIGN_RFC3161] ? 1 : 0 },
  };
}

function certificateOf(signer: SigstoreBundle['signer']): X509Certificate | undefined {
  switch (signer.kind) {
    case 'certificate':
      return readCertificate(signer.der);
    case 'chain':
      return signer.ders[0] && readCertificate(signer.ders[0]);
    case 'public-key':
      return undefined;
  }
}

function readCertificate(encoded: string | Buffer): X509Certificate | undefined {
  if (encoded.length === 0) return undefined;
  try {
    return new X509Certificate(encoded);
  } catch {
    return undefined;
  }
}
