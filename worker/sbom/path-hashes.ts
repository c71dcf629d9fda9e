/**
 * The paths of a layer that are not folders, as 48-bit hashes: what must be known to see that a file or link took the
 * place of something below, at eight characters a path. Two of a thousand paths collide once in 10^8 images.
 */
export interface PathHashes {
  add(path: string): void;
  /** Base64 of the hashes in order of arrival, six bytes each. */
  encode(): string;
}

const BYTES = 6;

export function createPathHashes(): PathHashes {
  let hashes = new Float64Array(1024);
  let count = 0;

  function add(path: string): void {
    if (count === hashes.length) {
      const larger = new Float64Array(count * 2);
      larger.set(hashes);
      hashes = larger;
    }
    hashes[count++] = pathHash(path);
  }

  function encode(): string {
    const bytes = Buffer.alloc(count * BYTES);
    for (let i = 0; i < count; i++) bytes.writeUIntBE(hashes[i] ?? 0, i * BYTES, BYTES);
    return bytes.toString('base64');
  }

  return { add, encode };
}

export function* decodePathHashes(text: string): Generator<number> {
  const bytes = Buffer.from(text, 'base64');
  for (let at = 0; at + BYTES <= bytes.length; at += BYTES) yield bytes.readUIntBE(at, BYTES);
}

/** FNV-1a twice, with different starts: 48 bits in a number. No secret: an image may hide its own packages anyway. */
export function pathHash(path: string): number {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b) ^ (high >>> 13);
  }
  return (low >>> 0) + ((high >>> 16) & 0xffff) * 0x1_0000_0000;
}
