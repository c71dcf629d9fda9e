import { decodeBase64 } from '#crypto/base64.ts';
import { readPem } from '#crypto/pem.ts';
import { AppError } from '#model/errors.ts';
import { parseStrictJson } from '#verification/strict-json.ts';

/** A canonical Rekor v1 entry, as far as an offline verifier compares it (interop specification A.1.4). */
export interface RekorEntry {
  readonly kind: 'dsse' | 'intoto' | 'hashedrekord';
  /** Lower-case hex of what was logged: the envelope, or the payload of an image signature. */
  readonly digest: string;
  /** DER of the public key or certificate that was logged as verifier. */
  readonly verifierDer: Buffer;
  /** Base64 as logged; absent where the entry keeps none. */
  readonly signature?: string;
  /** Lower-case hex of the payload of a logged envelope; absent where the entry keeps none. */
  readonly payloadDigest?: string;
}

export type RekorEntryReading =
  | { readonly ok: true; readonly entry: RekorEntry }
  | { readonly ok: false; readonly problem: string };

type Members = Readonly<Record<string, unknown>>;

/** Reads the `body` of a log entry: base64 of its canonical JSON. */
export function readRekorEntry(body: string): RekorEntryReading {
  const bytes = decodeBase64(body)?.bytes;
  const json = bytes ? parseStrictJson(bytes) : undefined;
  if (!json?.ok || !isObject(json.value)) return { ok: false, problem: 'its body is not JSON in base64' };
  const { kind, apiVersion, spec } = json.value;
  const form = typeof kind === 'string' && typeof apiVersion === 'string' ? `${kind} ${apiVersion}` : '';
  const reader = Object.hasOwn(READERS, form) ? READERS[form] : undefined;
  if (!reader || !isObject(spec))
    return { ok: false, problem: `its kind ${JSON.stringify(form.slice(0, 80))} is not known` };
  const parts = reader(spec);
  if (typeof parts === 'string') return { ok: false, problem: parts };
  const { digest, verifier, signature, payload, kind: name } = parts;
  const payloadDigest = text(at(payload, 'value'));
  if (!/^[0-9a-f]{64}$/.test(text(at(digest, 'value')) ?? '') || at(digest, 'algorithm') !== 'sha256') {
    return { ok: false, problem: 'it keeps no SHA-256 of what was logged' };
  }
  const verifierDer = pemContent(text(verifier) ?? '');
  if (!verifierDer) return { ok: false, problem: 'its public key or certificate cannot be read' };
  return {
    ok: true,
    entry: {
      kind: name,
      digest: text(at(digest, 'value')) ?? '',
      verifierDer,
      ...(typeof signature === 'string' ? { signature } : {}),
      ...(payloadDigest === undefined ? {} : { payloadDigest }),
    },
  };
}

interface Parts {
  readonly kind: RekorEntry['kind'];
  readonly digest: unknown;
  readonly verifier: unknown;
  readonly signature?: unknown;
  readonly payload?: unknown;
}

const READERS: Readonly<Record<string, (spec: Members) => Parts | string>> = {
  'dsse 0.0.1': readDsse,
  'intoto 0.0.1': (spec) => ({
    kind: 'intoto',
    digest: at(spec, 'content', 'hash'),
    verifier: at(spec, 'publicKey'),
  }),
  'intoto 0.0.2': (spec) => {
    const signature = only(at(spec, 'content', 'envelope', 'signatures'));
    if (!signature) return MANY_SIGNATURES;
    return {
      kind: 'intoto',
      digest: at(spec, 'content', 'hash'),
      verifier: signature.publicKey,
      // What the log was given is the base64 of the envelope, which it wrote in base64 once more.
      signature: decodeBase64(text(signature.sig) ?? '')?.bytes.toString('latin1'),
      payload: at(spec, 'content', 'payloadHash'),
    };
  },
  'hashedrekord 0.0.1': (spec) => ({
    kind: 'hashedrekord',
    digest: at(spec, 'data', 'hash'),
    verifier: at(spec, 'signature', 'publicKey', 'content'),
    signature: at(spec, 'signature', 'content'),
  }),
};

const MANY_SIGNATURES = 'it does not have exactly one signature';

function readDsse(spec: Members): Parts | string {
  const signature = only(spec.signatures);
  if (!signature) return MANY_SIGNATURES;
  if (!isObject(spec.payloadHash)) return 'it keeps no hash of the payload';
  return {
    kind: 'dsse',
    digest: spec.envelopeHash,
    verifier: signature.verifier,
    signature: signature.signature,
    payload: spec.payloadHash,
  };
}

/** The content of the one PEM block that is written in base64. */
function pemContent(base64: string): Buffer | undefined {
  const bytes = decodeBase64(base64)?.bytes;
  if (!bytes) return undefined;
  try {
    const [block, ...more] = readPem(bytes.toString('latin1'), 'certificate-unreadable', 'log entry');
    return more.length > 0 ? undefined : block?.der;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

function only(list: unknown): Members | undefined {
  if (!Array.isArray(list) || list.length !== 1) return undefined;
  const [first]: unknown[] = list;
  return isObject(first) ? first : undefined;
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce(
    (inner: unknown, name) => (isObject(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined),
    value,
  );
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
