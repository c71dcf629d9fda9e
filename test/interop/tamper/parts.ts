import { COSIGN_BUNDLE, COSIGN_CERTIFICATE, COSIGN_RFC3161 } from '#model/media-types.ts';
import { pemOf } from '../../support/pki.ts';
import { flipDigestDigit, flipLast } from '../../support/tampered-tag.ts';

/** A stored piece: its bytes, and the annotations of its layer. */
export interface Stored {
  readonly bytes: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
}

export type Tamper = (stored: Stored) => Stored;

type Json = Record<string, unknown>;

/** Changes one member of a bundle: the value at this path goes through `change`. */
function member(path: readonly (string | number)[], change: (text: string) => string): Tamper {
  return ({ bytes, annotations }) => {
    const bundle: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    const holder = path.slice(0, -1).reduce<unknown>((value, name) => (value as Json)[name], bundle) as Json;
    const name = path.at(-1) ?? '';
    if (typeof holder[name] !== 'string') throw new Error(`a bundle without ${path.join('.')}`);
    holder[name] = change(holder[name]);
    return { bytes: Buffer.from(JSON.stringify(bundle)), annotations };
  };
}

/** Changes the text of an annotation, which must be there. */
function annotation(key: string, change: (text: string) => string): Tamper {
  return ({ bytes, annotations }) => {
    const text = annotations[key];
    if (text === undefined) throw new Error(`a layer without ${key}`);
    return { bytes, annotations: { ...annotations, [key]: change(text) } };
  };
}

function inBase64(change: (bytes: Buffer) => Buffer): (text: string) => string {
  return (text) => change(Buffer.from(text, 'base64')).toString('base64');
}

function inJson(path: readonly string[], change: (text: string) => string): (text: string) => string {
  return (text) => {
    const document: unknown = JSON.parse(text);
    const holder = path.slice(0, -1).reduce<unknown>((value, name) => (value as Json)[name], document) as Json;
    const name = path.at(-1) ?? '';
    holder[name] = change(String(holder[name]));
    return JSON.stringify(document);
  };
}

/** One digit of the first long run of hex digits or base64: it stays JSON. */
function flipInside(body: Buffer): Buffer {
  const text = body.toString('latin1');
  const at = (/"content":"[A-Za-z0-9+/]{20}/.exec(text) ?? /"value":"[0-9a-f]{20}/.exec(text))?.index ?? 0;
  const changed = Buffer.from(body);
  const place = at + 25;
  changed[place] = body[place] === 0x41 ? 0x42 : 0x41;
  return changed;
}

/** The last signature of a signed note: its last byte. */
function flipNote(note: string): string {
  return `${note.trimEnd().replace(/[^ ]+$/, inBase64(flipLast))}\n`;
}

const LOG = ['verificationMaterial', 'tlogEntries', 0] as const;

/** What can be changed in a bundle that holds it. */
export const BUNDLE_PARTS = {
  nothing: (stored: Stored) => stored,
  payload: member(['dsseEnvelope', 'payload'], inBase64(flipDigestDigit)),
  signature: member(['dsseEnvelope', 'signatures', 0, 'sig'], inBase64(flipLast)),
  certificate: member(['verificationMaterial', 'certificate', 'rawBytes'], inBase64(flipLast)),
  'body of the log entry': member([...LOG, 'canonicalizedBody'], inBase64(flipInside)),
  'promise of the log': member([...LOG, 'inclusionPromise', 'signedEntryTimestamp'], inBase64(flipLast)),
  'time of the log entry': member([...LOG, 'integratedTime'], (text) => String(Number(text) + 1)),
  'root of the inclusion proof': member([...LOG, 'inclusionProof', 'rootHash'], inBase64(flipLast)),
  checkpoint: member([...LOG, 'inclusionProof', 'checkpoint', 'envelope'], flipNote),
  timestamp: member(
    ['verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps', 0, 'signedTimestamp'],
    inBase64(flipLast),
  ),
} as const satisfies Readonly<Record<string, Tamper>>;
export type BundlePart = keyof typeof BUNDLE_PARTS;

function envelope(path: readonly string[], change: (bytes: Buffer) => Buffer): Tamper {
  return ({ bytes, annotations }) => {
    const text = Buffer.from(bytes).toString('utf8');
    return { bytes: Buffer.from(inJson(path, inBase64(change))(text)), annotations };
  };
}

/** What can be changed in a layer of cosign's attestation tag that has it. */
export const LAYER_PARTS = {
  nothing: (stored: Stored) => stored,
  payload: envelope(['payload'], flipDigestDigit),
  signature: envelope(['signatures', '0', 'sig'], flipLast),
  certificate: annotation(COSIGN_CERTIFICATE, (pem) => {
    const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    return pemOf(flipLast(der));
  }),
  'body of the log entry': annotation(COSIGN_BUNDLE, inJson(['Payload', 'body'], inBase64(flipInside))),
  'promise of the log': annotation(COSIGN_BUNDLE, inJson(['SignedEntryTimestamp'], inBase64(flipLast))),
  'time of the log entry': annotation(COSIGN_BUNDLE, (text) =>
    text.replace(/"integratedTime":(\d+)/, (_, time) => `"integratedTime":${Number(time) + 1}`),
  ),
  timestamp: annotation(COSIGN_RFC3161, inJson(['SignedRFC3161Timestamp'], inBase64(flipLast))),
} as const satisfies Readonly<Record<string, Tamper>>;
export type LayerPart = keyof typeof LAYER_PARTS;
