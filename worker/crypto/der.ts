import { AppError } from '#model/errors.ts';

/** Tags of X.690 that certificates use. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
} as const;

/** One element: its tag, its content, and the whole of it with tag and length. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  readonly raw: Buffer;
}

/** The tag of a context specific element, e.g. `[0]`. */
export function contextTag(number: number, form: 'primitive' | 'constructed'): number {
  return (form === 'constructed' ? 0xa0 : 0x80) | number;
}

/** A cursor over DER; every method throws `certificate-unreadable` on what is not DER. */
export interface DerReader {
  /** The tag of the next element, or undefined at the end. */
  peek(): number | undefined;
  any(): DerElement;
  element(tag: number): DerElement;
  optional(tag: number): DerElement | undefined;
  /** A reader over the content of the next element. */
  enter(tag: number, what?: string): DerReader;
  /** Refuses bytes that are left. */
  end(): void;
}

/**
 * Reads DER front to back (X.690). Only DER: indefinite and over-long lengths, multi-byte tags and trailing bytes are
 * refused, because two readers of one loose encoding may see two certificates. `what` names the structure in messages.
 */
export function derReader(source: Uint8Array, what: string): DerReader {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  let at = 0;

  function readByte(): number {
    const byte = bytes[at];
    if (byte === undefined) throw malformed(what, 'a premature end');
    at += 1;
    return byte;
  }

  function readLength(): number {
    const first = readByte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw malformed(what, 'a length that DER does not allow');
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + readByte();
    if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw malformed(what, 'a length that is not minimal');
    return length;
  }

  function any(): DerElement {
    const start = at;
    const tag = readByte();
    if ((tag & 0x1f) === 0x1f) throw malformed(what, 'a tag of more than one byte');
    const length = readLength();
    const from = at;
    if (from + length > bytes.length) throw malformed(what, 'an element longer than its container');
    at = from + length;
    return { tag, content: bytes.subarray(from, at), raw: bytes.subarray(start, at) };
  }

  function element(tag: number): DerElement {
    if (bytes[at] !== tag) throw malformed(what, `an unexpected or missing element (wanted tag ${tag})`);
    return any();
  }

  return {
    peek: () => bytes[at],
    any,
    element,
    optional: (tag) => (bytes[at] === tag ? any() : undefined),
    enter: (tag, inner = what) => derReader(element(tag).content, inner),
    end: () => {
      if (at < bytes.length) throw malformed(what, 'trailing bytes');
    },
  };
}

/** Content of an OBJECT IDENTIFIER in dotted form. */
export function decodeOid(content: Uint8Array): string {
  const arcs: number[] = [];
  let value = 0;
  let open = false;
  for (const byte of content) {
    if (!open && byte === 0x80) throw malformed('object identifier', 'an arc that is not minimal');
    value = value * 128 + (byte & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER / 128) throw malformed('object identifier', 'an arc beyond 2^46');
    open = byte >= 0x80;
    if (!open) {
      arcs.push(value);
      value = 0;
    }
  }
  const [first, ...rest] = arcs;
  if (open || first === undefined) throw malformed('object identifier', 'a premature end');
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join('.');
}

/** Content of a small non-negative INTEGER. */
export function decodeSmallInteger(content: Uint8Array, what: string): number {
  assertInteger(content, what);
  if ((content[0] ?? 0) >= 0x80) throw malformed(what, 'a negative number');
  const value = content.reduce((sum, byte) => sum * 256 + byte, 0);
  if (value > 0x7fffffff) throw malformed(what, 'a number that is too large');
  return value;
}

/** Checks that INTEGER content is there and minimal. */
export function assertInteger(content: Uint8Array, what: string): void {
  const [first, second] = content;
  if (first === undefined) throw malformed(what, 'an empty number');
  if (second === undefined) return;
  if ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)) {
    throw malformed(what, 'a number that is not minimal');
  }
}

export function decodeBoolean(content: Uint8Array, what: string): boolean {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw malformed(what, 'a loose truth value');
  return content[0] === 0xff;
}

/** Positions of the set bits of a BIT STRING's content. */
export function decodeNamedBits(content: Uint8Array, what: string): number[] {
  const unused = content[0] ?? 8;
  const last = content.length > 1 ? (content.at(-1) ?? 0) : 0;
  // DER: at most seven unused bits, none without a byte to hold them, and all of them zero.
  if (unused > 7 || (content.length === 1 && unused > 0) || last & ((1 << unused) - 1)) {
    throw malformed(what, 'a loose bit string');
  }
  const positions: number[] = [];
  for (let at = 0; at < (content.length - 1) * 8 - unused; at++) {
    if (((content[1 + (at >> 3)] ?? 0) >> (7 - (at & 7))) & 1) positions.push(at);
  }
  return positions;
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** UTCTime or GeneralizedTime in the one form that RFC 5280 4.1.2.5 allows: whole seconds, Zulu. */
export function decodeTime(element: DerElement): Date {
  const text = element.content.toString('latin1');
  const match = (element.tag === TAG.utcTime ? UTC_TIME : GENERALIZED_TIME).exec(text);
  if (!match || (element.tag !== TAG.utcTime && element.tag !== TAG.generalizedTime)) {
    throw malformed('validity', 'a time that is not YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ');
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const full = element.tag === TAG.utcTime ? (year < 50 ? 2000 + year : 1900 + year) : year;
  const date = new Date(0);
  date.setUTCFullYear(full, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // Date rolls the 31st of February over into March; a date that changes on the way never was one.
  const same = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCSeconds() === second;
  if (!same || hour > 23 || minute > 59) throw malformed('validity', 'a date that does not exist');
  return date;
}

/** The one error of certificate reading. */
export function malformed(what: string, why: string): AppError {
  return new AppError('certificate-unreadable', `${what}: ${why}`);
}
