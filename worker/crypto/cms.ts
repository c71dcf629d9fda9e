import {
  contextTag,
  type DerElement,
  type DerReader,
  decodeOid,
  decodeSmallInteger,
  derReader,
  malformed,
  TAG,
} from '#crypto/der.ts';

const SIGNED_DATA = '1.2.840.113549.1.7.2';
/** Signers and certificates of one message; a timestamp has one signer and two or three certificates. */
const MAX_PARTS = 32;

/** CMS SignedData (RFC 5652, 5.1), as far as timestamps use it. Nothing of it is believed yet. */
export interface SignedData {
  readonly contentType: string;
  readonly content: Buffer;
  /** DER of each. */
  readonly certificates: readonly Buffer[];
  readonly signers: readonly SignerInfo[];
}

export interface SignerInfo {
  /** Empty when the signer is named by a key identifier instead. */
  readonly issuerDer: Buffer;
  readonly serialNumber: string;
  readonly digestAlgorithm: string;
  readonly signatureAlgorithm: string;
  readonly signature: Buffer;
  /** First value of each signed attribute by its type; empty when none is signed. */
  readonly attributes: ReadonlyMap<string, DerElement>;
  /** What the signature covers when there are signed attributes: their SET in DER. */
  readonly signedAttributes?: Buffer;
}

/**
 * Reads a ContentInfo that holds SignedData.
 * @throws AppError `certificate-unreadable` on what is not DER of this form.
 */
export function parseSignedData(bytes: Uint8Array): SignedData {
  const whole = derReader(bytes, 'signed message');
  const info = whole.enter(TAG.sequence);
  whole.end();
  if (decodeOid(info.element(TAG.oid).content) !== SIGNED_DATA) throw malformed('signed message', 'another content');
  const body = info.enter(contextTag(0, 'constructed')).enter(TAG.sequence);
  decodeSmallInteger(body.element(TAG.integer).content, 'version');
  body.element(TAG.set);
  const encapsulated = body.enter(TAG.sequence);
  const contentType = decodeOid(encapsulated.element(TAG.oid).content);
  const content = encapsulated.enter(contextTag(0, 'constructed')).element(TAG.octetString).content;
  const list = body.optional(contextTag(0, 'constructed'));
  body.optional(contextTag(1, 'constructed'));
  const signers = elementsOf(body.element(TAG.set).content, 'signers').map(({ content: signer }) =>
    parseSigner(derReader(signer, 'signer')),
  );
  return {
    contentType,
    content,
    certificates: list ? elementsOf(list.content, 'certificates').map(({ raw }) => raw) : [],
    signers,
  };
}

function parseSigner(signer: DerReader): SignerInfo {
  decodeSmallInteger(signer.element(TAG.integer).content, 'version');
  const named = signer.peek() === TAG.sequence ? signer.enter(TAG.sequence) : undefined;
  if (!named) signer.any();
  const issuerDer = named?.element(TAG.sequence).raw ?? Buffer.alloc(0);
  const serialNumber = named?.element(TAG.integer).content.toString('hex') ?? '';
  const digestAlgorithm = algorithmOf(signer);
  const signed = signer.optional(contextTag(0, 'constructed'));
  const signatureAlgorithm = algorithmOf(signer);
  const signature = signer.element(TAG.octetString).content;
  const list = signed ? elementsOf(signed.content, 'signed attributes') : [];
  return {
    issuerDer,
    serialNumber,
    digestAlgorithm,
    signatureAlgorithm,
    signature,
    attributes: new Map(list.toReversed().map(readAttribute)),
    ...(list.length > 0 ? { signedAttributes: derSet(list.map(({ raw }) => raw)) } : {}),
  };
}

function readAttribute({ content }: DerElement): [string, DerElement] {
  const attribute = derReader(content, 'attribute');
  const type = decodeOid(attribute.element(TAG.oid).content);
  return [type, derReader(attribute.element(TAG.set).content, 'attribute').any()];
}

/** The signature covers the attributes as a SET, sorted as DER wants it, whatever tag they stand under. */
function derSet(elements: readonly Buffer[]): Buffer {
  const body = Buffer.concat(elements.toSorted(Buffer.compare));
  return Buffer.concat([Buffer.from([TAG.set]), derLength(body.length), body]);
}

/** A length in DER (X.690, 8.1.3). */
export function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

/** The OID of an AlgorithmIdentifier. */
export function algorithmOf(reader: DerReader): string {
  return decodeOid(reader.enter(TAG.sequence).element(TAG.oid).content);
}

function elementsOf(content: Uint8Array, what: string): readonly DerElement[] {
  const reader = derReader(content, what);
  const list: DerElement[] = [];
  while (reader.peek() !== undefined) {
    if (list.length >= MAX_PARTS) throw malformed(what, `more than ${MAX_PARTS} of them`);
    list.push(reader.any());
  }
  return list;
}
