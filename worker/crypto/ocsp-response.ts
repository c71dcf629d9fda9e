import {
  contextTag,
  type DerElement,
  type DerReader,
  decodeOid,
  decodeSmallInteger,
  decodeTime,
  derReader,
  malformed,
  TAG,
} from '#crypto/der.ts';
import { type OcspCertificateId, readOcspCertificateId } from '#crypto/ocsp-certificate-id.ts';
import { answeredNonce, invalidSince, readOcspExtensions, unknownCritical } from '#crypto/ocsp-extensions.ts';
import { type Revocation, readReasonCode } from '#crypto/revocation-entries.ts';
import { readSignatureAlgorithm } from '#crypto/signature-algorithm.ts';
import { AppError } from '#model/errors.ts';

/** What a responder says of one certificate. */
export type OcspStatus =
  | { readonly kind: 'good' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'revoked'; readonly revocation: Revocation };

export interface OcspSingleResponse {
  readonly id: OcspCertificateId;
  readonly status: OcspStatus;
  readonly thisUpdate: Date;
  readonly nextUpdate?: Date;
  /** OIDs of critical extensions that are not understood. */
  readonly unknownCritical: readonly string[];
}

/** An answer of a responder (BasicOCSPResponse, RFC 6960, 4.2.1): nothing of it is believed before it was checked. */
export interface OcspAnswer {
  /** Who signed, as the answer says: DER of a name, or the hash of a key in lower-case hex. */
  readonly responder: { readonly nameDer: Uint8Array } | { readonly keyHash: string };
  readonly responses: readonly OcspSingleResponse[];
  /** Of the question that it was made for. */
  readonly nonce?: Uint8Array;
  /** OIDs of critical extensions that are not understood. */
  readonly unknownCritical: readonly string[];
  readonly signatureAlgorithm: string;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  /** DER of the certificates that came with it. */
  readonly certificates: readonly Uint8Array[];
}

/** Bytes of an answer; one with two certificates has three thousand. */
export const MAX_OCSP_BYTES = 64 * 1024;
/** Certificates that one answer may speak of, or bring. */
const MAX_PARTS = 16;

const BASIC = '1.3.6.1.5.5.7.48.1.1';
const ENUMERATED = 0x0a;
/** OCSPResponseStatus (RFC 6960, 4.2.1) by its number; 4 is not used. */
const STATUSES = ['successful', 'malformedRequest', 'internalError', 'tryLater', '', 'sigRequired', 'unauthorized'];

/**
 * Reads an answer from DER.
 * @throws AppError `ocsp-unreadable`, `too-large`; `revocation-unknown` when the responder did not answer the question.
 */
export function parseOcspResponse(der: Uint8Array): OcspAnswer {
  if (der.length > MAX_OCSP_BYTES) {
    throw new AppError('too-large', `an OCSP answer of ${der.length} bytes; at most ${MAX_OCSP_BYTES} are read`);
  }
  try {
    return readAnswer(basicResponse(der));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'certificate-unreadable') throw error;
    throw new AppError('ocsp-unreadable', `the answer cannot be read: ${error.message}`, { cause: error });
  }
}

function basicResponse(der: Uint8Array): Buffer {
  const whole = derReader(der, 'OCSP answer');
  const outer = whole.enter(TAG.sequence);
  whole.end();
  const status = decodeSmallInteger(outer.element(ENUMERATED).content, 'responseStatus');
  if (status !== 0) {
    const said = STATUSES[status] || `status ${status}`;
    throw new AppError('revocation-unknown', `the responder did not answer: ${said}`);
  }
  const bytes = explicit(outer, 0).enter(TAG.sequence);
  outer.end();
  if (decodeOid(bytes.element(TAG.oid).content) !== BASIC)
    throw malformed('OCSP answer', 'another form than the basic');
  const { content } = bytes.element(TAG.octetString);
  bytes.end();
  return content;
}

function readAnswer(der: Buffer): OcspAnswer {
  const whole = derReader(der, 'OCSP answer');
  const outer = whole.enter(TAG.sequence);
  whole.end();
  const signed = outer.element(TAG.sequence);
  const signatureAlgorithm = readSignatureAlgorithm(outer.element(TAG.sequence));
  const signature = outer.element(TAG.bitString).content;
  if (signature[0] !== 0) throw malformed('OCSP answer', 'a signature that is not whole bytes');
  const list = outer.optional(contextTag(0, 'constructed'));
  outer.end();
  const certificates = list ? elementsOf(derReader(list.content, 'certificates').enter(TAG.sequence)) : [];
  return {
    ...readSigned(derReader(signed.content, 'OCSP answer')),
    signatureAlgorithm,
    signed: signed.raw,
    signature: signature.subarray(1),
    certificates: certificates.map(({ raw }) => raw),
  };
}

function readSigned(data: DerReader): Pick<OcspAnswer, 'responder' | 'responses' | 'nonce' | 'unknownCritical'> {
  if (data.peek() === contextTag(0, 'constructed')) {
    const version = decodeSmallInteger(explicit(data, 0).element(TAG.integer).content, 'version');
    if (version !== 0) throw malformed('OCSP answer', 'a version above 1');
  }
  const responder = readResponder(data);
  // producedAt: each of the answers has times of its own, and those count.
  decodeTime(data.element(TAG.generalizedTime));
  const responses = elementsOf(data.enter(TAG.sequence)).map(({ tag, content }) => {
    if (tag !== TAG.sequence) throw malformed('OCSP answer', 'what is no answer among the answers');
    return readSingle(derReader(content, 'OCSP answer'));
  });
  const extensions = readOcspExtensions(data, 1);
  data.end();
  const nonce = answeredNonce(extensions);
  return { responder, responses, ...(nonce ? { nonce } : {}), unknownCritical: unknownCritical(extensions) };
}

function readResponder(data: DerReader): OcspAnswer['responder'] {
  if (data.peek() === contextTag(1, 'constructed')) {
    const name = explicit(data, 1);
    const nameDer = name.element(TAG.sequence).raw;
    name.end();
    return { nameDer };
  }
  const key = explicit(data, 2);
  const keyHash = key.element(TAG.octetString).content.toString('hex');
  key.end();
  return { keyHash };
}

function readSingle(single: DerReader): OcspSingleResponse {
  const id = readOcspCertificateId(single.enter(TAG.sequence));
  const status = readStatus(single.any());
  const thisUpdate = decodeTime(single.element(TAG.generalizedTime));
  const next = single.peek() === contextTag(0, 'constructed') ? explicit(single, 0) : undefined;
  const nextUpdate = next && decodeTime(next.element(TAG.generalizedTime));
  next?.end();
  const extensions = readOcspExtensions(single, 1);
  single.end();
  return {
    id,
    status: datedBack(status, invalidSince(extensions)),
    thisUpdate,
    ...(nextUpdate ? { nextUpdate } : {}),
    unknownCritical: unknownCritical(extensions),
  };
}

function readStatus({ tag, content }: DerElement): OcspStatus {
  if (tag === contextTag(0, 'primitive') && content.length === 0) return { kind: 'good' };
  if (tag === contextTag(2, 'primitive') && content.length === 0) return { kind: 'unknown' };
  if (tag !== contextTag(1, 'constructed')) throw malformed('OCSP answer', 'a status that is not known');
  const info = derReader(content, 'revokedInfo');
  const since = decodeTime(info.element(TAG.generalizedTime));
  const given = info.peek() === contextTag(0, 'constructed') ? explicit(info, 0) : undefined;
  info.end();
  const reason = given ? readReasonCode(given) : 'unspecified';
  given?.end();
  // It belongs to delta lists: as the reason of a certificate that is revoked it means nothing.
  if (reason === 'removeFromCRL') throw malformed('OCSP answer', 'the reason removeFromCRL');
  return { kind: 'revoked', revocation: { since, reason } };
}

function datedBack(status: OcspStatus, suspectSince: Date | undefined): OcspStatus {
  if (status.kind !== 'revoked' || !suspectSince || suspectSince >= status.revocation.since) return status;
  return { kind: 'revoked', revocation: { ...status.revocation, since: suspectSince } };
}

function explicit(reader: DerReader, number: number): DerReader {
  return reader.enter(contextTag(number, 'constructed'));
}

function elementsOf(reader: DerReader): readonly DerElement[] {
  const list: DerElement[] = [];
  while (reader.peek() !== undefined) {
    if (list.length >= MAX_PARTS) throw malformed('OCSP answer', `more than ${MAX_PARTS} parts of one kind`);
    list.push(reader.any());
  }
  return list;
}
