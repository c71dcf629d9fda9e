import { algorithmOf, parseSignedData, type SignedData } from '#crypto/cms.ts';
import { decodeNamedBits, decodeOid, decodeSmallInteger, derReader, malformed, TAG } from '#crypto/der.ts';

/** Bytes of one response; real ones have two to six thousand. */
const MAX_RESPONSE_BYTES = 256 * 1024;
const TST_INFO = '1.2.840.113549.1.9.16.1.4';

/** What a timestamp says (RFC 3161, 2.4.2), with the signed message that says it. Nothing is believed yet. */
export interface TimestampResponse {
  readonly message: SignedData;
  readonly policy: string;
  readonly imprint: { readonly algorithm: string; readonly digest: Buffer };
  readonly time: Date;
  /** Content bytes of the nonce that the request had; absent when it had none. */
  readonly nonce?: Buffer;
}

/** What an authority answers before any token (RFC 3161, 2.4.2). Texts are its own words. */
export interface TimestampStatus {
  /** 0 granted, 1 granted with changes, others refuse. */
  readonly status: number;
  readonly text: string;
  /** Bits of PKIFailureInfo. */
  readonly failures: readonly number[];
}

/**
 * The status of a TimeStampResp.
 * @throws AppError `certificate-unreadable` when it is none.
 */
export function readTimestampStatus(bytes: Uint8Array): TimestampStatus {
  if (bytes.length > MAX_RESPONSE_BYTES) throw malformed('timestamp', `it is larger than ${MAX_RESPONSE_BYTES} bytes`);
  const info = derReader(bytes, 'timestamp').enter(TAG.sequence).enter(TAG.sequence, 'timestamp status');
  const status = decodeSmallInteger(info.element(TAG.integer).content, 'status');
  const list = info.optional(TAG.sequence);
  const failure = info.optional(TAG.bitString);
  info.end();
  const texts = list ? derReader(list.content, 'timestamp status') : undefined;
  let text = '';
  // The whole response is bounded, and so is this.
  while (texts?.peek() !== undefined) text = `${text} ${texts.any().content.toString('utf8')}`;
  return { status, text: text.trim(), failures: failure ? decodeNamedBits(failure.content, 'failure') : [] };
}

/**
 * Reads a TimeStampResp in DER.
 * @throws AppError `certificate-unreadable` when it is none, or one that refuses.
 */
export function parseTimestampResponse(bytes: Uint8Array): TimestampResponse {
  if (bytes.length > MAX_RESPONSE_BYTES) throw malformed('timestamp', `it is larger than ${MAX_RESPONSE_BYTES} bytes`);
  const whole = derReader(bytes, 'timestamp');
  const response = whole.enter(TAG.sequence);
  whole.end();
  const status = decodeSmallInteger(response.enter(TAG.sequence).element(TAG.integer).content, 'status');
  // Kyverno takes no token that was granted with modifications (status 1) either.
  if (status !== 0) throw malformed('timestamp', `the authority answered with status ${status}`);
  const token = response.element(TAG.sequence).raw;
  response.end();
  const message = parseSignedData(token);
  if (message.contentType !== TST_INFO) throw malformed('timestamp', 'its content is no TSTInfo');
  const info = derReader(message.content, 'timestamp').enter(TAG.sequence);
  decodeSmallInteger(info.element(TAG.integer).content, 'version');
  const policy = decodeOid(info.element(TAG.oid).content);
  const imprint = info.enter(TAG.sequence);
  const algorithm = algorithmOf(imprint);
  const digest = imprint.element(TAG.octetString).content;
  info.element(TAG.integer);
  const time = decodeGenTime(info.element(TAG.generalizedTime).content.toString('latin1'));
  // Accuracy and ordering.
  info.optional(TAG.sequence);
  info.optional(TAG.boolean);
  const nonce = info.optional(TAG.integer)?.content;
  return { message, policy, imprint: { algorithm, digest }, time, ...(nonce ? { nonce } : {}) };
}

/** GeneralizedTime in UTC, with fractions of a second where the authority gives them (RFC 3161, 2.4.2). */
function decodeGenTime(text: string): Date {
  const [, year, month, day, hour, minute, second, fraction = ''] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?Z$/.exec(text) ?? [];
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}Z`;
  const time = new Date(iso);
  if (year === undefined || Number.isNaN(time.getTime()) || !time.toISOString().startsWith(iso.slice(0, 19))) {
    throw malformed('timestamp', 'a time that is none');
  }
  return time;
}
