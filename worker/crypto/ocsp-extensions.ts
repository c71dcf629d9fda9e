import {
  contextTag,
  type DerReader,
  decodeBoolean,
  decodeOid,
  decodeTime,
  derReader,
  malformed,
  TAG,
} from '#crypto/der.ts';
import { OCSP_NONCE } from '#crypto/ocsp-request.ts';

/** An extension of an answer, or of what it says of one certificate (RFC 6960, 4.4). */
export interface OcspExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

const INVALIDITY_DATE = '2.5.29.24';

/** The extensions under an explicit tag; none where it is absent. One that appears twice makes the answer unreadable. */
export function readOcspExtensions(reader: DerReader, tag: number): readonly OcspExtension[] {
  const wrapper = reader.optional(contextTag(tag, 'constructed'));
  if (!wrapper) return [];
  const inner = derReader(wrapper.content, 'OCSP extensions');
  const list = inner.enter(TAG.sequence);
  inner.end();
  const found: OcspExtension[] = [];
  while (list.peek() !== undefined) {
    const extension = list.enter(TAG.sequence);
    const oid = decodeOid(extension.element(TAG.oid).content);
    const flag = extension.optional(TAG.boolean);
    const critical = flag ? decodeBoolean(flag.content, 'critical flag') : false;
    const value = extension.element(TAG.octetString).content;
    extension.end();
    if (found.some((each) => each.oid === oid)) throw malformed('OCSP extensions', `${oid} appears twice`);
    found.push({ oid, critical, value });
  }
  return found;
}

/** OIDs of those that must be understood and are not. */
export function unknownCritical(extensions: readonly OcspExtension[]): readonly string[] {
  const known = [OCSP_NONCE, INVALIDITY_DATE];
  return extensions.filter(({ oid, critical }) => critical && !known.includes(oid)).map(({ oid }) => oid);
}

/** The nonce that an answer repeats (RFC 9654, 2.1). */
export function answeredNonce(extensions: readonly OcspExtension[]): Uint8Array | undefined {
  const value = extensions.find(({ oid }) => oid === OCSP_NONCE)?.value;
  if (value === undefined) return undefined;
  const reader = derReader(value, 'nonce');
  const { content } = reader.element(TAG.octetString);
  reader.end();
  return content;
}

/** Since when the key is suspect, where a responder says so as a list would (RFC 6960, 4.4.5). */
export function invalidSince(extensions: readonly OcspExtension[]): Date | undefined {
  const value = extensions.find(({ oid }) => oid === INVALIDITY_DATE)?.value;
  return value && decodeTime(derReader(value, 'invalidityDate').any());
}
