import { type KeyObject, verify } from 'node:crypto';
import { decodeBase64 } from '#crypto/base64.ts';
import { verifySignature } from '#crypto/dsse.ts';
import type { LogKey } from '#crypto/log-key.ts';
import { isWithin } from '#crypto/time-window.ts';
import { sha256Hex } from '#model/digest.ts';
import type { RawEvidence } from '#model/evidence.ts';
import { COSIGN_BUNDLE } from '#model/media-types.ts';
import { type RekorEntry, readRekorEntry } from '#verification/rekor-entry.ts';
import type { Profile } from '#verification/statement.ts';

/** Characters of one annotation; a logged SBOM keeps only hashes here. */
const MAX_ANNOTATION = 4 * 1024 * 1024;

/** What a log entry must be about. */
export interface LoggedSignature {
  /** The bytes of the layer: the envelope, or the payload of an image signature. */
  readonly bytes: Uint8Array;
  readonly key: KeyObject;
  /** DER of the public key or certificate that stands for the signer; empty when the two contradict each other. */
  readonly verifierDer: Uint8Array;
  /** Base64 of the signature of an image signature; an envelope has its own inside. */
  readonly signature?: string;
  /** Of an envelope, for the strict reading: its payload and its signatures. */
  readonly envelope?: { readonly payload: Uint8Array; readonly signatures: readonly Uint8Array[] };
}

export type LogEntryCheck =
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid'; readonly problem: string }
  /** Sound as far as it can be judged without the key of its log, which is none of the given ones. */
  | { readonly kind: 'unknown-log'; readonly problem: string }
  | { readonly kind: 'verified'; readonly integratedTime: Date };

/** The annotation in which a layer brings its log entry; an empty one is none. */
export function logEntryText({ descriptor }: RawEvidence): string | undefined {
  return descriptor.annotations?.[COSIGN_BUNDLE] || undefined;
}

/**
 * Verifies the Rekor v1 entry that a layer brings along, offline (interop specification A.1.4): it must be about these
 * bytes, this signer and this signature, and a known log must have promised to include it (SET). The promise covers
 * body, time, index and log; nothing else in the annotation counts.
 */
export function verifyLogEntry(
  annotation: string,
  logged: LoggedSignature,
  logs: readonly LogKey[],
  profile: Profile = 'compat',
): LogEntryCheck {
  const bundle = readBundle(annotation);
  if (!bundle) return invalid('the annotation is not a log entry');
  const reading = readRekorEntry(bundle.body);
  if (!reading.ok) return invalid(reading.problem);
  const { entry } = reading;
  if (logged.signature !== undefined && entry.signature !== logged.signature) {
    return invalid('it is about another signature');
  }
  if (logged.verifierDer.length === 0) return invalid('the certificate beside it has another key than the signer');
  if (Buffer.compare(entry.verifierDer, logged.verifierDer) !== 0) return invalid('it is about another signer');
  if (entry.digest !== sha256Hex(logged.bytes)) return invalid('it is about other bytes');
  const unlike = profile === 'strict' ? envelopeProblem(entry, logged) : undefined;
  if (unlike !== undefined) return invalid(unlike);
  if (entry.kind === 'hashedrekord' && !isRekordSigned(entry.signature ?? '', logged)) {
    return invalid('the signature in it does not verify');
  }
  const log = logs.find(({ id }) => id === bundle.logId);
  if (!log) return { kind: 'unknown-log', problem: `its log ${bundle.logId.slice(0, 64)} is not known` };
  if (profile === 'strict' && !isWithin(log.validFor, bundle.integratedTime)) {
    return invalid(`its log is not trusted at ${bundle.integratedTime.toISOString()}`);
  }
  if (log.key.asymmetricKeyType !== 'ec') return invalid('the key of its log is none of ECDSA');
  if (!verify('sha256', promised(bundle), { key: log.key, dsaEncoding: 'der' }, bundle.promise)) {
    return invalid('the log did not sign it (signed entry timestamp)');
  }
  return { kind: 'verified', integratedTime: bundle.integratedTime };
}

/** Cosign believes the hash of the envelope alone; what else the entry says of it must be true all the same. */
function envelopeProblem({ payloadDigest, signature }: RekorEntry, { envelope }: LoggedSignature): string | undefined {
  if (!envelope) return undefined;
  if (payloadDigest !== undefined && payloadDigest !== sha256Hex(envelope.payload))
    return 'it is about another payload';
  const bytes = signature === undefined ? undefined : decodeBase64(signature)?.bytes;
  if (signature !== undefined && !envelope.signatures.some((each) => bytes?.equals(each))) {
    return 'it is about another signature';
  }
  return undefined;
}

/** Such an entry is only what it claims when its signature is over the logged bytes themselves, not over an envelope. */
function isRekordSigned(base64: string, { key, bytes }: LoggedSignature): boolean {
  const signature = decodeBase64(base64)?.bytes;
  return signature !== undefined && verifySignature(key, bytes, signature);
}

interface LogBundle {
  readonly promise: Buffer;
  readonly body: string;
  readonly seconds: number;
  readonly integratedTime: Date;
  readonly index: number;
  readonly logId: string;
}

function readBundle(annotation: string): LogBundle | undefined {
  if (annotation.length > MAX_ANNOTATION) return undefined;
  const json = parse(annotation);
  const payload = memberOf(json, 'Payload');
  const promise = memberOf(json, 'SignedEntryTimestamp');
  const [body, logId] = [memberOf(payload, 'body'), memberOf(payload, 'logID')];
  const [seconds, index] = [memberOf(payload, 'integratedTime'), memberOf(payload, 'logIndex')];
  if (typeof promise !== 'string' || typeof body !== 'string' || typeof logId !== 'string') return undefined;
  if (!isWhole(seconds) || !isWhole(index)) return undefined;
  const decoded = decodeBase64(promise);
  const integratedTime = new Date(seconds * 1000);
  if (!decoded || Number.isNaN(integratedTime.getTime())) return undefined;
  return { promise: decoded.bytes, body, seconds, integratedTime, index, logId };
}

/** Canonical JSON (RFC 8785) of what the log promised: four members, sorted by name. */
function promised({ body, seconds, logId, index }: LogBundle): Buffer {
  return Buffer.from(JSON.stringify({ body, integratedTime: seconds, logID: logId, logIndex: index }));
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Go finds members without regard to case; two spellings of one name are none. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const [spelling, ...more] = Object.keys(value).filter((key) => key.toLowerCase() === name.toLowerCase());
  return spelling === undefined || more.length > 0 ? undefined : Reflect.get(value, spelling);
}

function invalid(problem: string): LogEntryCheck {
  return { kind: 'invalid', problem };
}
