import { nodeHash } from '#crypto/merkle.ts';
import { askPeer, type Peer, unbelievable } from '#signing/peer.ts';

/** Nodes of one tile, and entries of one bundle (C2SP tlog-tiles). */
const TILE = 256;
const HASH = 32;
/** 256 entries of at most 65,535 bytes, each behind its length. */
const MAX_ENTRIES_BYTES = TILE * (2 + 65_535);
const MAX_CHECKPOINT_BYTES = 64 * 1024;

/** A log that is published as files (C2SP tlog-tiles). Nothing that it answers is believed yet. */
export interface LogTiles {
  /** The signed head, as text; undefined when it is not published there. */
  checkpoint(): Promise<string | undefined>;
  entry(index: number, treeSize: number): Promise<Buffer>;
  /** Hashes from the leaf upwards (RFC 6962, 2.1.1). */
  inclusionProof(index: number, treeSize: number): Promise<readonly Buffer[]>;
}

export function createLogTiles(base: URL, peer: Peer, signal: AbortSignal | undefined): LogTiles {
  const tiles = new Map<string, Promise<Buffer>>();

  async function get(path: string, maxBytes: number): Promise<Buffer | undefined> {
    const url = new URL(`${base.href.replace(/\/$/, '')}/${path}`);
    const { status, bytes } = await askPeer(peer, { method: 'GET', url, expect: [200, 404, 501], maxBytes, signal });
    return status === 200 ? bytes : undefined;
  }

  /** A tile of `width`; a log may drop a part once the whole is there. */
  async function tile(path: string, width: number, maxBytes: number): Promise<Buffer> {
    const part = width < TILE ? await get(`${path}.p/${width}`, maxBytes) : undefined;
    const bytes = part ?? (await get(path, maxBytes));
    if (!bytes) throw unbelievable(peer, `it has no ${path}`);
    return bytes;
  }

  function hashTile(level: number, index: number, treeSize: number): Promise<Buffer> {
    const path = `tile/${level}/${tilePath(index)}`;
    const known = tiles.get(path);
    if (known) return known;
    const nodes = Math.floor(treeSize / TILE ** level) - index * TILE;
    const asked = tile(path, Math.min(nodes, TILE), TILE * HASH);
    tiles.set(path, asked);
    return asked;
  }

  /** Hash of the complete subtree of 2^level leaves at that place. */
  async function subtree(level: number, place: number, treeSize: number): Promise<Buffer> {
    const first = place * 2 ** (level % 8);
    const bytes = await hashTile(Math.floor(level / 8), Math.floor(first / TILE), treeSize);
    const from = (first % TILE) * HASH;
    const hashes = bytes.subarray(from, from + 2 ** (level % 8) * HASH);
    if (hashes.length !== 2 ** (level % 8) * HASH) throw unbelievable(peer, 'a tile of it is too short');
    return fold(hashes);
  }

  /** Hash over the leaves from `start` up to `end`, which need not be a complete subtree. */
  async function range(start: number, end: number, treeSize: number): Promise<Buffer> {
    const size = end - start;
    const level = Math.log2(size);
    if (Number.isInteger(level)) return await subtree(level, start / size, treeSize);
    const middle = start + split(size);
    return nodeHash(await range(start, middle, treeSize), await range(middle, end, treeSize));
  }

  async function inclusionProof(index: number, treeSize: number): Promise<readonly Buffer[]> {
    const hashes: Buffer[] = [];
    let [start, end] = [0, treeSize];
    while (end - start > 1) {
      const middle = start + split(end - start);
      if (index < middle) {
        hashes.unshift(await range(middle, end, treeSize));
        end = middle;
      } else {
        hashes.unshift(await range(start, middle, treeSize));
        start = middle;
      }
    }
    return hashes;
  }

  async function entry(index: number, treeSize: number): Promise<Buffer> {
    const place = Math.floor(index / TILE);
    const width = Math.min(treeSize - place * TILE, TILE);
    const bytes = await tile(`tile/entries/${tilePath(place)}`, width, MAX_ENTRIES_BYTES);
    let at = 0;
    for (let left = index % TILE; left > 0 && at + 2 <= bytes.length; left--) at += 2 + bytes.readUInt16BE(at);
    const length = at + 2 <= bytes.length ? bytes.readUInt16BE(at) : Number.POSITIVE_INFINITY;
    if (at + 2 + length > bytes.length) throw unbelievable(peer, 'a bundle of its entries is too short');
    return bytes.subarray(at + 2, at + 2 + length);
  }

  return {
    checkpoint: async () => (await get('checkpoint', MAX_CHECKPOINT_BYTES))?.toString('utf8'),
    entry,
    inclusionProof,
  };
}

/** Groups of three digits, all but the last marked: 1234067 is x001/x234/067. */
function tilePath(index: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
}

/** The largest power of two below a number. */
function split(size: number): number {
  return 2 ** (Math.ceil(Math.log2(size)) - 1);
}

/** Root of a complete subtree over hashes that stand one behind the other. */
function fold(hashes: Buffer): Buffer {
  if (hashes.length === HASH) return hashes;
  const half = hashes.length / 2;
  return nodeHash(fold(hashes.subarray(0, half)), fold(hashes.subarray(half)));
}
