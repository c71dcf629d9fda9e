import { derLength } from '#crypto/cms.ts';
import { TAG } from '#crypto/der.ts';

/** Writes DER (X.690): the few forms that requests to authorities are made of. */
export function derElement(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), derLength(body.length), body]);
}

export function derSequence(...content: readonly Uint8Array[]): Buffer {
  return derElement(TAG.sequence, ...content);
}

/** A non-negative INTEGER from its big-endian bytes. */
export function derUnsigned(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const minimal = first < 0 ? Buffer.from([0]) : Buffer.from(bytes.subarray(first));
  const sign = (minimal[0] ?? 0) >= 0x80 ? [0] : [];
  return derElement(TAG.integer, Buffer.from(sign), minimal);
}

export function derOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return derElement(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) {
    digits.unshift((left & 0x7f) | 0x80);
  }
  return digits;
}
