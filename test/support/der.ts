/** Writes DER (X.690), for certificates with any content, the broken included. */

export function tlv(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
}

function length(value: number): Buffer {
  if (value < 0x80) return Buffer.from([value]);
  const bytes = Buffer.from(value.toString(16).padStart(value > 0xffff ? 6 : value > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

export function sequence(...content: readonly Uint8Array[]): Buffer {
  return tlv(0x30, ...content);
}

export function set(...content: readonly Uint8Array[]): Buffer {
  return tlv(0x31, ...content);
}

/** A non-negative number, or the exact content bytes. */
export function integer(value: number | Uint8Array): Buffer {
  if (typeof value !== 'number') return tlv(0x02, value);
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return tlv(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

export function boolean(value: boolean): Buffer {
  return tlv(0x01, Buffer.from([value ? 0xff : 0]));
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128))
    digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

export function octets(content: Uint8Array): Buffer {
  return tlv(0x04, content);
}

export function bits(content: Uint8Array, unused = 0): Buffer {
  return tlv(0x03, Buffer.from([unused]), content);
}

/** A BIT STRING of named bits; trailing zero bits are cut, as DER wants it. */
export function namedBits(positions: readonly number[]): Buffer {
  const highest = Math.max(-1, ...positions);
  const bytes = Buffer.alloc(Math.floor(highest / 8) + 1);
  for (const at of positions) bytes[Math.floor(at / 8)] = (bytes[Math.floor(at / 8)] ?? 0) | (0x80 >> (at % 8));
  return bits(bytes, highest < 0 ? 0 : 7 - (highest % 8));
}

export function utf8(text: string): Buffer {
  return tlv(0x0c, Buffer.from(text));
}

/** UTCTime up to 2049, GeneralizedTime after (RFC 5280, 4.1.2.5). */
export function time(date: Date): Buffer {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  return date.getUTCFullYear() < 2050 ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits));
}
