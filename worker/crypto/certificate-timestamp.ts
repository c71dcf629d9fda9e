import { createHash } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import { derLength } from '#crypto/cms.ts';
import { contextTag, derReader, TAG } from '#crypto/der.ts';
import { verifySignature } from '#crypto/dsse.ts';
import type { LogKey } from '#crypto/log-key.ts';
import { isWithin } from '#crypto/time-window.ts';
import { AppError } from '#model/errors.ts';

/** The extension that holds embedded certificate timestamps (RFC 6962, 3.3). */
const SCT_LIST = '1.3.6.1.4.1.11129.2.4.2';
/** TLS numbers of the one hash, and of the signature algorithms that logs use (RFC 6962, 2.1.4). */
const SHA256 = 4;
const SIGNATURES: Readonly<Record<number, string>> = { 1: 'rsa', 3: 'ec' };

/** A signed certificate timestamp, version 1 (RFC 6962, 3.2). */
interface CertificateTimestamp {
  readonly version: number;
  readonly logId: string;
  /** Eight bytes, milliseconds since 1970. */
  readonly timestamp: Buffer;
  readonly extensions: Buffer;
  readonly hash: number;
  readonly algorithm: number;
  readonly signature: Buffer;
}

export type CertificateTimestampCheck =
  | { readonly kind: 'verified' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid'; readonly problem: string };

/**
 * Verifies the timestamps embedded in a leaf under the keys of certificate logs (RFC 6962, 3.2). `issuer` is the
 * certificate above the leaf in its path. `every` one that is there must be of a known log and verify, as in cosign's
 * legacy layout, or `one`, as in sigstore-go.
 */
export function verifyCertificateTimestamps(
  leaf: Certificate,
  issuer: Certificate | undefined,
  logs: readonly LogKey[],
  demand: 'every' | 'one' = 'every',
): CertificateTimestampCheck {
  try {
    const timestamps = embeddedTimestamps(leaf);
    if (timestamps.length === 0) return { kind: 'missing' };
    if (!issuer) return { kind: 'invalid', problem: 'the path of the certificate has no issuer' };
    const entry = precertificate(leaf, issuer);
    let first: string | undefined;
    for (const timestamp of timestamps) {
      const problem = timestampProblem(timestamp, entry, logs);
      if (problem === undefined && demand === 'one') return { kind: 'verified' };
      first ??= problem;
      if (problem !== undefined && demand === 'every') break;
    }
    return first === undefined ? { kind: 'verified' } : { kind: 'invalid', problem: first };
  } catch (error) {
    if (error instanceof AppError || error instanceof RangeError) return { kind: 'invalid', problem: error.message };
    throw error;
  }
}

/** Whether a certificate brings a timestamp at all; one that cannot be read counts. */
export function hasCertificateTimestamp(leaf: Certificate): boolean {
  return leaf.extensions.some(({ oid }) => oid === SCT_LIST);
}

function timestampProblem(timestamp: CertificateTimestamp, entry: Buffer, logs: readonly LogKey[]): string | undefined {
  if (timestamp.version !== 0) return `a timestamp of version ${timestamp.version + 1}`;
  const log = logs.find(({ id }) => id === timestamp.logId);
  if (!log) return `its log ${timestamp.logId} is not known`;
  if (!isWithin(log.validFor, new Date(Number(timestamp.timestamp.readBigUInt64BE())))) {
    return 'its log is not trusted at the time that it names';
  }
  if (timestamp.hash !== SHA256 || SIGNATURES[timestamp.algorithm] !== log.key.asymmetricKeyType) {
    return 'it is signed with another algorithm than that of its log';
  }
  const signed = Buffer.concat([
    // Version 1, a certificate timestamp; then, behind the time, the entry's type: a precertificate.
    Buffer.from([0, 0]),
    timestamp.timestamp,
    Buffer.from([0, 1]),
    entry,
    lengthPrefixed(timestamp.extensions, 2),
  ]);
  return verifySignature(log.key, signed, timestamp.signature) ? undefined : 'its signature does not verify';
}

function embeddedTimestamps({ extensions }: Certificate): readonly CertificateTimestamp[] {
  const extension = extensions.find(({ oid }) => oid === SCT_LIST);
  if (!extension) return [];
  const outer = derReader(extension.value, 'certificate timestamps');
  const list = vectors(outer.element(TAG.octetString).content);
  outer.end();
  const [whole, ...rest] = list;
  if (!whole || rest.length > 0) throw unreadable();
  return vectors(whole).map(readTimestamp);
}

function readTimestamp(bytes: Buffer): CertificateTimestamp {
  const extensionsLength = bytes.readUInt16BE(41);
  const at = 43 + extensionsLength;
  const signatureLength = bytes.readUInt16BE(at + 2);
  if (bytes.length !== at + 4 + signatureLength) throw unreadable();
  return {
    version: bytes.readUInt8(0),
    logId: bytes.subarray(1, 33).toString('hex'),
    timestamp: bytes.subarray(33, 41),
    extensions: bytes.subarray(43, at),
    hash: bytes.readUInt8(at),
    algorithm: bytes.readUInt8(at + 1),
    signature: bytes.subarray(at + 4),
  };
}

/** TLS vectors with lengths of two bytes, one behind the other. */
function vectors(bytes: Buffer): readonly Buffer[] {
  const list: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) throw unreadable();
    list.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return list;
}

/** What the log signed: the issuer's key, and the certificate's body as it was before the timestamps came into it. */
function precertificate(leaf: Certificate, issuer: Certificate): Buffer {
  const outer = derReader(leaf.raw, 'certificate').enter(TAG.sequence);
  const body = outer.enter(TAG.sequence, 'tbsCertificate');
  const parts: Buffer[] = [];
  while (body.peek() !== undefined) {
    const part = body.any();
    parts.push(part.tag === contextTag(3, 'constructed') ? withoutTimestamps(part.content) : part.raw);
  }
  const issuerKey = createHash('sha256').update(issuer.publicKeyDer).digest();
  return Buffer.concat([issuerKey, lengthPrefixed(element(TAG.sequence, parts), 3)]);
}

function withoutTimestamps(content: Buffer): Buffer {
  const list = derReader(content, 'extensions').enter(TAG.sequence);
  const kept: Buffer[] = [];
  while (list.peek() !== undefined) {
    const extension = list.any();
    const oid = derReader(extension.content, 'extension').element(TAG.oid);
    if (!oid.raw.equals(SCT_LIST_DER)) kept.push(extension.raw);
  }
  return element(contextTag(3, 'constructed'), [element(TAG.sequence, kept)]);
}

const SCT_LIST_DER = Buffer.from('060a2b06010401d679020402', 'hex');

function element(tag: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), derLength(content.length), content]);
}

function lengthPrefixed(bytes: Buffer, width: 2 | 3): Buffer {
  const length = Buffer.alloc(width);
  length.writeUIntBE(bytes.length, 0, width);
  return Buffer.concat([length, bytes]);
}

function unreadable(): AppError {
  return new AppError('certificate-unreadable', 'the list of certificate timestamps cannot be read');
}
