import {
  contextTag,
  type DerReader,
  decodeBoolean,
  decodeOid,
  decodeSmallInteger,
  decodeTime,
  derReader,
  malformed,
  TAG,
} from '#crypto/der.ts';
import { formatDistinguishedName } from '#crypto/distinguished-name.ts';
import { pointUris } from '#crypto/distribution-points.ts';
import { type RevocationEntries, readRevocationEntries } from '#crypto/revocation-entries.ts';
import { readSignatureAlgorithm } from '#crypto/signature-algorithm.ts';
import { sha256Hex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';

/** What a list speaks of (RFC 5280, 5.2.5); absent members restrict nothing. */
export interface ListScope {
  /** URIs by which the list is distributed: it covers certificates that name one of them. */
  readonly uris: readonly string[];
  readonly only?: 'user' | 'ca' | 'attribute';
  readonly someReasons: boolean;
  /** It lists certificates of other issuers. */
  readonly indirect: boolean;
}

/** A list of revoked certificates (CRL, RFC 5280, 5): nothing of it is believed before its signature was checked. */
export interface RevocationList {
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly issuerDer: Uint8Array;
  /** RFC 4514 text, for people. */
  readonly issuer: string;
  readonly thisUpdate: Date;
  readonly nextUpdate?: Date;
  readonly entries: RevocationEntries;
  readonly scope?: ListScope;
  /** It lists only what changed since another list. */
  readonly isDelta: boolean;
  /** OIDs of critical extensions that are not understood. */
  readonly unknownCritical: readonly string[];
  readonly signatureAlgorithm: string;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** Bytes of one list in DER. */
export const MAX_LIST_BYTES = 10 * 1024 * 1024;

const DELTA = '2.5.29.27';
const ISSUING_POINT = '2.5.29.28';

/**
 * The lists of a file: one in DER, or any number in PEM.
 * @throws AppError `crl-unreadable`, `too-large`.
 */
export function parseRevocationLists(bytes: Uint8Array): readonly RevocationList[] {
  // PEM is a third longer than the bytes in it.
  if (bytes.length > MAX_LIST_BYTES * 1.5) throw tooLarge(bytes.length);
  if (bytes[0] === TAG.sequence) return [parseRevocationList(bytes)];
  const text = new TextDecoder('latin1').decode(bytes);
  const blocks = [...text.matchAll(/-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]*)-----END X509 CRL-----/g)];
  if (blocks.length === 0) {
    throw new AppError('crl-unreadable', 'there is neither DER nor a PEM block of a CRL', {
      mend: 'the file must hold -----BEGIN X509 CRL----- blocks, or one list in DER',
    });
  }
  return blocks.map(([, body = '']) => parseRevocationList(Buffer.from(body, 'base64')));
}

/**
 * Reads one list from DER.
 * @throws AppError `crl-unreadable`, `too-large`.
 */
export function parseRevocationList(der: Uint8Array): RevocationList {
  if (der.length > MAX_LIST_BYTES) throw tooLarge(der.length);
  try {
    return readList(der);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'certificate-unreadable') throw error;
    throw new AppError('crl-unreadable', `the CRL cannot be read: ${error.message}`, { cause: error });
  }
}

function readList(der: Uint8Array): RevocationList {
  const whole = derReader(der, 'CRL');
  const outer = whole.enter(TAG.sequence);
  whole.end();
  const signed = outer.element(TAG.sequence);
  const algorithm = outer.element(TAG.sequence);
  const signature = outer.element(TAG.bitString).content;
  outer.end();
  if (signature[0] !== 0) throw malformed('CRL', 'a signature that is not whole bytes');

  const tbs = derReader(signed.content, 'tbsCertList');
  const version = tbs.optional(TAG.integer);
  if (version && decodeSmallInteger(version.content, 'version') !== 1) throw malformed('CRL', 'a version above 2');
  if (!tbs.element(TAG.sequence).raw.equals(algorithm.raw)) {
    throw malformed('CRL', 'the inner and the outer signature algorithm differ');
  }
  const issuerDer = tbs.element(TAG.sequence).raw;
  const thisUpdate = decodeTime(tbs.any());
  const isTime = tbs.peek() === TAG.utcTime || tbs.peek() === TAG.generalizedTime;
  const nextUpdate = isTime ? decodeTime(tbs.any()) : undefined;
  const entries =
    tbs.peek() === TAG.sequence
      ? readRevocationEntries(tbs.enter(TAG.sequence))
      : { bySerial: new Map(), unknownCritical: [] };
  const extensions = tbs.optional(contextTag(0, 'constructed'));
  tbs.end();
  return {
    fingerprint: sha256Hex(der),
    issuerDer,
    issuer: formatDistinguishedName(issuerDer),
    thisUpdate,
    ...(nextUpdate ? { nextUpdate } : {}),
    entries,
    ...readExtensions(extensions ? derReader(extensions.content, 'CRL extensions') : undefined),
    signatureAlgorithm: readSignatureAlgorithm(algorithm),
    signed: signed.raw,
    signature: signature.subarray(1),
  };
}

function readExtensions(wrapper: DerReader | undefined): Pick<RevocationList, 'scope' | 'isDelta' | 'unknownCritical'> {
  let scope: ListScope | undefined;
  let isDelta = false;
  const unknownCritical: string[] = [];
  const list = wrapper?.enter(TAG.sequence);
  while (list?.peek() !== undefined) {
    const extension = list.enter(TAG.sequence);
    const oid = decodeOid(extension.element(TAG.oid).content);
    const flag = extension.optional(TAG.boolean);
    const critical = flag ? decodeBoolean(flag.content, 'critical flag') : false;
    const { content } = extension.element(TAG.octetString);
    extension.end();
    if (oid === ISSUING_POINT) scope = readScope(content);
    else if (oid === DELTA) isDelta = true;
    else if (critical) unknownCritical.push(oid);
  }
  return { ...(scope ? { scope } : {}), isDelta, unknownCritical };
}

/** issuingDistributionPoint (RFC 5280, 5.2.5). */
function readScope(value: Uint8Array): ListScope {
  const point = derReader(value, 'issuingDistributionPoint').enter(TAG.sequence);
  const name = point.optional(contextTag(0, 'constructed'));
  const flag = (number: number) => {
    const element = point.optional(contextTag(number, 'primitive'));
    return element ? decodeBoolean(element.content, 'issuingDistributionPoint') : false;
  };
  const user = flag(1);
  const ca = flag(2);
  const someReasons = point.optional(contextTag(3, 'primitive')) !== undefined;
  const indirect = flag(4);
  const attribute = flag(5);
  point.end();
  const only = user ? 'user' : ca ? 'ca' : attribute ? 'attribute' : undefined;
  return {
    uris: name ? pointUris(derReader(name.content, 'issuingDistributionPoint')) : [],
    ...(only === undefined ? {} : { only }),
    someReasons,
    indirect,
  };
}

function tooLarge(length: number): AppError {
  return new AppError('too-large', `a CRL of ${length} bytes; at most ${MAX_LIST_BYTES} are read`);
}
