import { Buffer } from 'node:buffer';

/** One entry of an archive to write. Paths are relative, without a leading slash. */
export type TarItem =
  | { readonly kind: 'file'; readonly path: string; readonly bytes: Uint8Array; readonly mode?: number }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'symlink' | 'hard-link'; readonly path: string; readonly target: string };

export interface TarHeaderFields {
  readonly name: string;
  readonly type: string;
  /** Bytes of the body. */
  readonly size: number;
  readonly mode?: number;
  readonly linkName?: string;
}

const BLOCK = 512;
const NAME_BYTES = 100;
const TYPES = { file: '0', 'hard-link': '1', symlink: '2', directory: '5' } as const;

/** An archive with owner and times zero: the same items give the same bytes (POSIX.1-2017, pax). */
export function writeTar(items: readonly TarItem[]): Buffer {
  return Buffer.concat([...items.flatMap(tarItem), Buffer.alloc(2 * BLOCK)]);
}

/** The blocks of one entry, with an extended header where names are longer than the plain one holds. */
export function tarItem(item: TarItem): Buffer[] {
  const name = item.kind === 'directory' ? `${item.path}/` : item.path;
  const linkName = 'target' in item ? item.target : '';
  const body = item.kind === 'file' ? item.bytes : new Uint8Array();
  const records: Record<string, string> = {
    ...(Buffer.byteLength(name) > NAME_BYTES ? { path: name } : {}),
    ...(Buffer.byteLength(linkName) > NAME_BYTES ? { linkpath: linkName } : {}),
  };
  const mode = item.kind === 'file' ? (item.mode ?? 0o644) : 0o755;
  return [
    ...(Object.keys(records).length > 0 ? paxHeader(records) : []),
    tarHeader({ name, linkName, type: TYPES[item.kind], size: body.length, mode }),
    ...tarBody(body),
  ];
}

export function paxHeader(records: Readonly<Record<string, string>>): Buffer[] {
  const body = Buffer.from(
    Object.entries(records)
      .map(([key, value]) => paxRecord(key, value))
      .join(''),
  );
  return [tarHeader({ name: 'pax', type: 'x', size: body.length }), ...tarBody(body)];
}

/** The record's length counts its own digits, so it is found by trying. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  const guess = bytes + String(bytes).length;
  return `${bytes + String(guess).length}${rest}`;
}

/** One ustar header block with its checksum. */
export function tarHeader({ name, type, size, mode = 0o644, linkName = '' }: TarHeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, NAME_BYTES);
  writeOctal(block, mode, 100, 8);
  writeOctal(block, 0, 108, 8);
  writeOctal(block, 0, 116, 8);
  writeOctal(block, size, 124, 12);
  writeOctal(block, 0, 136, 12);
  block.write(type, 156, 1, 'latin1');
  block.write(linkName, 157, NAME_BYTES);
  block.write('ustar\x0000', 257, 8, 'latin1');
  return sealTarHeader(block);
}

/** Sets the checksum of a header block. */
export function sealTarHeader(block: Buffer): Buffer {
  block.write('        ', 148, 8, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return block;
}

/** A body, filled up to whole blocks. */
export function tarBody(body: Uint8Array): Buffer[] {
  return [Buffer.from(body), Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
}

function writeOctal(block: Buffer, value: number, start: number, length: number): void {
  block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, start, length, 'latin1');
}
