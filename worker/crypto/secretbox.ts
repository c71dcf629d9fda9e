import { timingSafeEqual } from 'node:crypto';

// NaCl's secretbox is XSalsa20 with Poly1305. OpenSSL has neither alone, and cosign encrypts its private keys with it.
// It is only ever opened here: a few hundred bytes, once a start.

/** "expand 32-byte k" as little-endian words (Salsa20 specification, section 9). */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;
/** Where the diagonal words stand, and the words that HSalsa20 gives out. */
const HSALSA_OUTPUT = [0, 5, 10, 15, 6, 7, 8, 9] as const;
const PRIME = (1n << 130n) - 5n;
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

/** The quarter rounds of one double round: columns, then rows. */
const QUARTERS = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
] as const;

/** Opens a box: tag, then ciphertext. Undefined when key, nonce or box do not belong together. */
export function openSecretBox(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer | undefined {
  if (box.length < 16 || nonce.length !== 24 || key.length !== 32) return undefined;
  const [tag, ciphertext] = [box.subarray(0, 16), box.subarray(16)];
  const subkey = hsalsa20(words(key), words(nonce.subarray(0, 16)));
  // The first 32 bytes of the stream are the key of the tag; the message follows them.
  const stream = salsa20(subkey, words(nonce.subarray(16)), 32 + ciphertext.length);
  if (!timingSafeEqual(poly1305(ciphertext, stream.subarray(0, 32)), tag)) return undefined;
  return Buffer.from(ciphertext.map((byte, at) => byte ^ (stream[32 + at] ?? 0)));
}

function salsa20(key: Uint32Array, nonce: Uint32Array, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 0; counter * 64 < length; counter++) {
    const start = layout(key, [nonce[0] ?? 0, nonce[1] ?? 0, counter, 0]);
    const mixed = rounds(start);
    blocks.push(bytes(mixed.map((word, at) => word + (start[at] ?? 0))));
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function hsalsa20(key: Uint32Array, input: Uint32Array): Uint32Array {
  const mixed = rounds(layout(key, [...input]));
  return Uint32Array.from(HSALSA_OUTPUT, (at) => mixed[at] ?? 0);
}

function layout(key: Uint32Array, middle: readonly number[]): Uint32Array {
  const [one, two, three, four] = SIGMA;
  return Uint32Array.from([one, ...key.subarray(0, 4), two, ...middle, three, ...key.subarray(4), four]);
}

function rounds(start: Uint32Array): Uint32Array {
  const x = Uint32Array.from(start);
  const mix = (to: number, left: number, right: number, by: number): void => {
    const sum = ((x[left] ?? 0) + (x[right] ?? 0)) >>> 0;
    x[to] = (x[to] ?? 0) ^ ((sum << by) | (sum >>> (32 - by)));
  };
  for (let round = 0; round < 10; round++) {
    for (const [a, b, c, d] of QUARTERS) {
      mix(b, a, d, 7);
      mix(c, b, a, 9);
      mix(d, c, b, 13);
      mix(a, d, c, 18);
    }
  }
  return x;
}

/** RFC 8439, 2.5. */
function poly1305(message: Uint8Array, key: Uint8Array): Buffer {
  const r = littleEndian(key.subarray(0, 16)) & CLAMP;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + littleEndian(block) + (1n << BigInt(8 * block.length))) * r) % PRIME;
  }
  const tag = (sum + littleEndian(key.subarray(16))) & ((1n << 128n) - 1n);
  return Buffer.from(tag.toString(16).padStart(32, '0'), 'hex').reverse();
}

function littleEndian(source: Uint8Array): bigint {
  return source.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function words(source: Uint8Array): Uint32Array {
  const view = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  return Uint32Array.from({ length: source.length / 4 }, (_, at) => view.readUInt32LE(at * 4));
}

function bytes(source: Uint32Array): Buffer {
  const target = Buffer.alloc(source.length * 4);
  for (const [at, word] of source.entries()) target.writeUInt32LE(word, at * 4);
  return target;
}
