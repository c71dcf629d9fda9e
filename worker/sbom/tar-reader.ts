import { AppError } from '#model/errors.ts';
import type { WalkLimits } from '#sbom/limits.ts';
import { parsePaxRecords, paxSize } from '#sbom/pax-records.ts';
import {
  BLOCK,
  corruptTar,
  hasNoBody,
  isZeroBlock,
  padding,
  parseTarHeader,
  type TarHeader,
} from '#sbom/tar-header.ts';

export interface TarEntry {
  /** As written in the archive; not cleaned. */
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'hard-link' | 'symlink' | 'other';
  /** Bytes of the body in the archive. */
  readonly size: number;
  readonly mode: number;
  /** Target of a link; empty for other kinds. */
  readonly linkName: string;
  /** The body is a map of holes and data, not the content. */
  readonly sparse: boolean;
}

export interface TarFile {
  readonly entry: TarEntry;
  readonly bytes: Buffer;
}

/** A push reader of one tar archive: bodies that nobody wants are stepped over without a copy. */
export interface TarReader {
  /** Takes bytes from `at` on and answers where it stopped: at the end of the chunk or behind a wanted file. */
  take(chunk: Buffer, at: number): number;
  /** The wanted file that the last `take` completed, once. */
  completed(): TarFile | undefined;
  /** @throws AppError `layer-corrupt` when the archive stops in the middle of an entry. */
  end(): void;
  entries(): number;
}

// What Go's reader allows for one extended header; more is an attack on memory.
const MAX_EXTENSION = 1024 * 1024;

/** `wanted` is asked once for each entry, in order; true captures the body of a file. */
export function createTarReader(wanted: (entry: TarEntry) => boolean, limits: WalkLimits): TarReader {
  const block = Buffer.alloc(BLOCK);
  let blockFilled = 0;
  let skip = 0;
  // How much of `skip` is padding.
  let filler = 0;
  let body: { readonly bytes: Buffer; filled: number; readonly done: (bytes: Buffer) => void } | undefined;
  let file: TarFile | undefined;
  let sparse: TarHeader | undefined;
  let zeroBlocks = 0;
  let count = 0;
  let pax: ReadonlyMap<string, string> | undefined;
  let longName: string | undefined;
  let longLink: string | undefined;

  function take(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length && !file) {
      if (zeroBlocks === 2) return chunk.length;
      const left = chunk.length - at;
      if (body) {
        const part = Math.min(body.bytes.length - body.filled, left);
        chunk.copy(body.bytes, body.filled, at, at + part);
        body.filled += part;
        at += part;
        finishBody();
      } else if (skip > 0) {
        const part = Math.min(skip, left);
        skip -= part;
        at += part;
      } else if (blockFilled === 0 && left >= BLOCK) {
        onBlock(chunk.subarray(at, at + BLOCK));
        at += BLOCK;
      } else {
        const part = Math.min(BLOCK - blockFilled, left);
        chunk.copy(block, blockFilled, at, at + part);
        blockFilled += part;
        at += part;
        if (blockFilled === BLOCK) {
          blockFilled = 0;
          onBlock(block);
        }
      }
    }
    return at;
  }

  function onBlock(bytes: Buffer): void {
    if (sparse) {
      if (bytes[504] !== 0) return;
      const header = sparse;
      sparse = undefined;
      onEntry(header);
      return;
    }
    if (isZeroBlock(bytes)) {
      zeroBlocks++;
      return;
    }
    if (zeroBlocks > 0) throw corruptTar('data follows a lone block of zeros');
    count++;
    if (count > limits.entries) throw bomb(`more than ${limits.entries} entries`);
    const header = parseTarHeader(bytes);
    switch (header.type) {
      case 'x':
        collect(header, (content) => {
          pax = parsePaxRecords(content);
        });
        return;
      case 'L':
        collect(header, (content) => {
          longName = untilNul(content);
        });
        return;
      case 'K':
        collect(header, (content) => {
          longLink = untilNul(content);
        });
        return;
      case 'g':
        // Global headers change nothing for container runtimes, so neither here.
        pass(header.size);
        return;
      default:
        if (header.extended) sparse = header;
        else onEntry(header);
    }
  }

  function collect(header: TarHeader, done: (bytes: Buffer) => void): void {
    if (header.size > MAX_EXTENSION) throw bomb(`an extended header of ${header.size} bytes`);
    body = { bytes: Buffer.allocUnsafe(header.size), filled: 0, done };
    finishBody();
  }

  function onEntry(header: TarHeader): void {
    const entry = describe(header);
    pax = undefined;
    longName = undefined;
    longLink = undefined;
    if (Buffer.byteLength(entry.name) > limits.pathBytes) throw bomb(`a path longer than ${limits.pathBytes} bytes`);
    if (!wanted(entry) || entry.kind !== 'file') {
      pass(entry.size);
      return;
    }
    if (entry.size > limits.capturedFileBytes) throw bomb(`a wanted file of ${entry.size} bytes`);
    const done = (bytes: Buffer) => {
      file = { entry, bytes };
    };
    body = { bytes: Buffer.allocUnsafe(entry.size), filled: 0, done };
    finishBody();
  }

  function describe(header: TarHeader): TarEntry {
    const name = longName ?? pax?.get('GNU.sparse.name') ?? (pax?.get('path') || header.name);
    const size = pax?.get('size');
    return {
      name,
      kind: kindOf(header.type, name),
      size: size === undefined || hasNoBody(header.type) ? header.size : paxSize(size),
      mode: header.mode,
      linkName: longLink ?? (pax?.get('linkpath') || header.linkName),
      sparse: header.type === 'S' || isSparse(pax),
    };
  }

  function finishBody(): void {
    if (!body || body.filled < body.bytes.length) return;
    const { bytes, done } = body;
    body = undefined;
    pass(0, bytes.length);
    done(bytes);
  }

  function pass(left: number, size = left): void {
    filler = padding(size);
    skip = left + filler;
  }

  function completed(): TarFile | undefined {
    const result = file;
    file = undefined;
    return result;
  }

  function end(): void {
    // The padding of the last body may be missing: Go's reader, and so every runtime, tolerates that.
    if (blockFilled > 0 || body || sparse || skip > filler) throw corruptTar('it ends in the middle of an entry');
  }

  return { take, completed, end, entries: () => count };
}

function kindOf(type: string, name: string): TarEntry['kind'] {
  switch (type) {
    case '1':
      return 'hard-link';
    case '2':
      return 'symlink';
    case '5':
      return 'directory';
    case '3':
    case '4':
    case '6':
    case 'V':
    case 'M':
    case 'D':
      return 'other';
    default:
      // The oldest form has no type for folders but a name that ends in a slash.
      return name.endsWith('/') ? 'directory' : 'file';
  }
}

/** Each of the three pax forms of GNU tar has other records, all of this name. */
function isSparse(pax: ReadonlyMap<string, string> | undefined): boolean {
  return [...(pax?.keys() ?? [])].some((key) => key.startsWith('GNU.sparse.'));
}

function untilNul(bytes: Buffer): string {
  const nul = bytes.indexOf(0);
  return bytes.toString('utf8', 0, nul < 0 ? bytes.length : nul);
}

function bomb(what: string): AppError {
  return new AppError('layer-bomb', `the layer holds ${what}`, {
    mend: 'raise the limits of the layer walk if this image is meant to be so',
  });
}
