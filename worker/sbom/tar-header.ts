import { AppError } from '#model/errors.ts';

export const BLOCK = 512;

/** One 512-byte header as it stands (POSIX.1-2017, pax, "ustar Interchange Format"). */
export interface TarHeader {
  readonly name: string;
  readonly mode: number;
  /** Bytes of the body that follows. */
  readonly size: number;
  readonly type: string;
  readonly linkName: string;
  /** Old GNU sparse: more header blocks follow before the body. */
  readonly extended: boolean;
}

/** @throws AppError `layer-corrupt` when the block is not a tar header. */
export function parseTarHeader(block: Buffer): TarHeader {
  const sum = octal(block, 148, 8);
  if (sum !== checksum(block)) throw corruptTar('a header does not match its checksum');
  const typeByte = block[156] ?? 0;
  const type = typeByte === 0 ? '0' : String.fromCharCode(typeByte);
  const magic = block.toString('latin1', 257, 263);
  const short = text(block, 0, 100);
  // The GNU form ("ustar  ") keeps times where ustar keeps the prefix.
  const prefix =
    magic === 'ustar\0' ? text(block, 345, block.toString('latin1', 508, 512) === 'tar\0' ? 131 : 155) : '';
  const size = number(block, 124, 12);
  return {
    name: prefix ? `${prefix}/${short}` : short,
    mode: number(block, 100, 8),
    size: hasNoBody(type) ? 0 : size,
    type,
    linkName: text(block, 157, 100),
    extended: type === 'S' && block[482] !== 0,
  };
}

/** Links, devices, folders and pipes never have a body, whatever their size says: container runtimes read them so. */
export function hasNoBody(type: string): boolean {
  return '123456'.includes(type);
}

export function isZeroBlock(block: Buffer): boolean {
  for (let i = 0; i < BLOCK; i++) if (block[i] !== 0) return false;
  return true;
}

/** Bytes that fill a body up to whole blocks. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

export function corruptTar(why: string): AppError {
  return new AppError('layer-corrupt', `the layer is not a proper tar archive: ${why}`, {
    mend: 'push the image again; what the registry holds cannot be unpacked',
  });
}

function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < 148; i++) sum += block[i] ?? 0;
  for (let i = 156; i < BLOCK; i++) sum += block[i] ?? 0;
  return sum;
}

function text(block: Buffer, start: number, length: number): string {
  const nul = block.indexOf(0, start);
  const end = nul < 0 || nul > start + length ? start + length : nul;
  return block.toString('utf8', start, end);
}

function number(block: Buffer, start: number, length: number): number {
  const first = block[start] ?? 0;
  if ((first & 0x80) === 0) return octal(block, start, length);
  // GNU base-256: big-endian, the first bit set; the second one would make it negative.
  if ((first & 0x40) !== 0) throw corruptTar('a header holds a negative number');
  let value = first & 0x3f;
  for (let i = start + 1; i < start + length; i++) {
    value = value * 256 + (block[i] ?? 0);
    if (value > Number.MAX_SAFE_INTEGER) throw corruptTar('a header holds a number beyond 2^53');
  }
  return value;
}

function octal(block: Buffer, start: number, length: number): number {
  let at = start;
  const end = start + length;
  while (at < end && isBlank(block[at])) at++;
  let value = 0;
  for (; at < end && !isBlank(block[at]); at++) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) throw corruptTar('a numeric field of a header is not octal');
    value = value * 8 + digit;
  }
  return value;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0;
}
