import { createHash } from 'node:crypto';
import { keyKind } from '#crypto/key-kind.ts';
import type { PresentedSigner } from '#verification/presented.ts';
import { type Members, MessageProblem, type MessageReader, messageReader } from '#verification/proto-json.ts';
import { parseStrictJson } from '#verification/strict-json.ts';

/** What an entry of Rekor v2 must be about. */
export interface SignedBytes {
  /** What was signed: the pre-authentication encoding of an envelope, or the manifest. */
  readonly signed: Uint8Array;
  /** Payload of an envelope. */
  readonly payload?: Uint8Array;
  readonly signature: Uint8Array;
  readonly signer: PresentedSigner;
}

const HASHES: Readonly<Record<string, string>> = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' };

/**
 * Why the body of an entry of Rekor v2 is not about a signature; undefined when it is. Both kinds are read: the
 * `hashedrekord` over the signed bytes, and the `dsse` that sigstore-js writes (interop specification K.1, 3).
 */
export function rekorV2Problem(body: Uint8Array, signed: SignedBytes): string | undefined {
  const json = parseStrictJson(body);
  if (!json.ok) return `its body cannot be read: ${json.problem}`;
  try {
    return entryProblem(json.value, signed, messageReader('strict'));
  } catch (error) {
    if (error instanceof MessageProblem) return error.message;
    throw error;
  }
}

/** Whether a body is of Rekor v2, by the version that it names. */
export function isRekorV2(version: string): boolean {
  return version === '0.0.2';
}

function entryProblem(value: unknown, signed: SignedBytes, reader: MessageReader): string | undefined {
  const { kind, spec } = reader.object(value, 'its body', ['apiVersion', 'kind', 'spec']);
  switch (kind) {
    case 'hashedrekord':
      return hashedRekordProblem(reader.object(spec, 'spec', ['hashedRekordV002']).hashedRekordV002, signed, reader);
    case 'dsse':
      return envelopeProblem(reader.object(spec, 'spec', ['dsseV002']).dsseV002, signed, reader);
    default:
      return 'its kind is not known';
  }
}

function hashedRekordProblem(value: unknown, signed: SignedBytes, reader: MessageReader): string | undefined {
  const record = reader.object(value, 'hashedRekordV002', ['data', 'signature']);
  if (!isHashOf(record.data, signed.signed, 'data', reader)) return 'it is about other bytes';
  return signatureProblem(record.signature, signed, reader);
}

function envelopeProblem(value: unknown, signed: SignedBytes, reader: MessageReader): string | undefined {
  const { payloadHash, signatures } = reader.object(value, 'dsseV002', ['payloadHash', 'signatures']);
  if (!signed.payload || !isHashOf(payloadHash, signed.payload, 'payloadHash', reader)) {
    return 'it is about another payload';
  }
  const [only, ...more] = reader.list(signatures, 'signatures', 32);
  if (more.length > 0) return 'it does not have exactly one signature';
  return signatureProblem(only, signed, reader);
}

function isHashOf(value: unknown, bytes: Uint8Array, path: string, reader: MessageReader): boolean {
  const { algorithm, digest } = reader.object(value, path, ['algorithm', 'digest']);
  const hash = HASHES[reader.text(algorithm, `${path}.algorithm`)];
  const found = reader.bytes(digest, `${path}.digest`);
  return hash !== undefined && createHash(hash).update(bytes).digest().equals(found);
}

function signatureProblem(value: unknown, signed: SignedBytes, reader: MessageReader): string | undefined {
  const { content, verifier } = reader.object(value, 'signature', ['content', 'verifier']);
  if (!reader.bytes(content, 'signature.content').equals(signed.signature)) return 'it is about another signature';
  const fields = ['publicKey', 'x509Certificate', 'keyDetails'];
  const found: Members = reader.object(verifier, 'verifier', fields);
  const { leaf, key } = signed.signer;
  const [wanted, given] = leaf
    ? [leaf.raw, found.x509Certificate]
    : [key.export({ type: 'spki', format: 'der' }), found.publicKey];
  if (given === undefined) return 'it is about another signer';
  const { rawBytes } = reader.object(given, 'verifier', ['rawBytes']);
  return Buffer.compare(reader.bytes(rawBytes, 'verifier.rawBytes'), wanted) === 0
    ? undefined
    : 'it is about another signer';
}

/**
 * The body as the log must have hashed it, made from the signature: what sigstore-go verifies instead of the body that
 * the bundle brings. Undefined for keys that a log of this version does not take.
 */
export function rebuiltHashedRekord({ signed, signature, signer }: SignedBytes): Buffer | undefined {
  const { leaf, key } = signer;
  const details = keyDetails(signer);
  if (!details) return undefined;
  const [keyName, algorithm, hash] = details;
  const rawBytes = Buffer.from(leaf?.raw ?? key.export({ type: 'spki', format: 'der' })).toString('base64');
  const verifier = leaf
    ? { keyDetails: keyName, x509Certificate: { rawBytes } }
    : { keyDetails: keyName, publicKey: { rawBytes } };
  const digest = createHash(hash).update(signed).digest('base64');
  const hashedRekordV002 = {
    data: { algorithm, digest },
    signature: { content: Buffer.from(signature).toString('base64'), verifier: sorted(verifier) },
  };
  return Buffer.from(JSON.stringify({ apiVersion: '0.0.2', kind: 'hashedrekord', spec: { hashedRekordV002 } }));
}

/** Canonical JSON sorts its members (RFC 8785). */
function sorted(members: Members): Members {
  return Object.fromEntries(Object.entries(members).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function keyDetails({ leaf, key }: PresentedSigner): readonly [string, string, string] | undefined {
  const kind = keyKind(leaf?.publicKey ?? key);
  if (kind.type === 'rsa') return [`PKIX_RSA_PKCS1V15_${kind.bits}_SHA256`, 'SHA2_256', 'sha256'];
  if (kind.type !== 'ecdsa') return undefined;
  switch (kind.curve) {
    case 'P-256':
      return ['PKIX_ECDSA_P256_SHA_256', 'SHA2_256', 'sha256'];
    case 'P-384':
      return ['PKIX_ECDSA_P384_SHA_384', 'SHA2_384', 'sha384'];
    case 'P-521':
      return ['PKIX_ECDSA_P521_SHA_512', 'SHA2_512', 'sha512'];
    default:
      return undefined;
  }
}
