import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { AppError } from '#model/errors.ts';
import { createByteFeed } from '#sbom/byte-feed.ts';
import { decompress } from '#sbom/decompress.ts';
import { layerKind } from '#sbom/layer-media-types.ts';
import { cleanPath, pathDepth } from '#sbom/layer-path.ts';
import type { WalkLimits } from '#sbom/limits.ts';
import { createTarReader, type TarEntry } from '#sbom/tar-reader.ts';

/** One entry of a layer. `path` and a hard link's `linkPath` are clean (`cleanPath`). */
export interface LayerEntry {
  readonly path: string;
  readonly kind: TarEntry['kind'];
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
  readonly sparse: boolean;
  readonly linkPath: string;
}

export interface LayerVisitor {
  /** Each entry in order, whiteouts too; true asks for the content of a file. */
  entry(entry: LayerEntry): boolean;
  /** The content of a file that was asked for. The next byte is read when this is done. */
  file(entry: LayerEntry, bytes: Uint8Array): void | Promise<void>;
}

export interface WalkedLayer {
  readonly compressedBytes: number;
  readonly unpackedBytes: number;
  readonly entries: number;
}

// Memory sources would otherwise never let the event loop turn.
const YIELD_EVERY = 4 * 1024 * 1024;

/**
 * Walks one layer from its first byte to its last in flat memory. The stream is read to its end (its digest is checked
 * there) or destroyed.
 * @throws AppError `layer-corrupt`, `layer-bomb`, `media-type-unsupported`, `canceled`, and the stream's own errors.
 */
export async function walkLayer(
  stream: Readable,
  mediaType: string,
  visitor: LayerVisitor,
  limits: WalkLimits,
  signal?: AbortSignal,
): Promise<WalkedLayer> {
  const stop = () => stream.destroy(canceled());
  try {
    if (layerKind(mediaType) !== 'tar') {
      throw new AppError('media-type-unsupported', `not a file system layer: ${mediaType.slice(0, 200)}`);
    }
    if (signal?.aborted) throw canceled();
    signal?.addEventListener('abort', stop, { once: true });
    return await walk(stream, visitor, limits);
  } finally {
    signal?.removeEventListener('abort', stop);
    stream.destroy();
  }
}

async function walk(stream: Readable, visitor: LayerVisitor, limits: WalkLimits): Promise<WalkedLayer> {
  const feed = createByteFeed(stream);
  // The entry whose content is being read: one at a time.
  let pending: LayerEntry | undefined;
  const reader = createTarReader((tarEntry) => {
    const entry = layerEntry(tarEntry, limits);
    pending = entry;
    return visitor.entry(entry);
  }, limits);
  let unpackedBytes = 0;
  let sinceYield = 0;
  for await (const bytes of decompress(feed)) {
    unpackedBytes += bytes.length;
    checkExpansion(unpackedBytes, feed.received(), limits);
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < chunk.length; ) {
      at = reader.take(chunk, at);
      const file = reader.completed();
      if (file && pending) await visitor.file(pending, file.bytes);
    }
    sinceYield += bytes.length;
    if (sinceYield >= YIELD_EVERY) {
      sinceYield = 0;
      await setImmediate();
    }
  }
  reader.end();
  return { compressedBytes: feed.received(), unpackedBytes, entries: reader.entries() };
}

function layerEntry(entry: TarEntry, limits: WalkLimits): LayerEntry {
  const path = cleanPath(entry.name);
  if (pathDepth(path) > limits.depth) throw bomb(`a path more than ${limits.depth} folders deep`);
  return {
    path,
    kind: entry.kind,
    size: entry.size,
    executable: entry.kind === 'file' && (entry.mode & 0o111) !== 0,
    sparse: entry.sparse,
    linkPath: entry.kind === 'hard-link' ? cleanPath(entry.linkName) : '',
  };
}

function checkExpansion(unpacked: number, compressed: number, limits: WalkLimits): void {
  if (unpacked > limits.unpackedBytesPerLayer) {
    throw bomb(`more than ${limits.unpackedBytesPerLayer} bytes when unpacked`);
  }
  if (unpacked > limits.ratioFloorBytes && unpacked > compressed * limits.ratio) {
    throw bomb(`more than ${limits.ratio} times its compressed size when unpacked`);
  }
}

function bomb(what: string): AppError {
  return new AppError('layer-bomb', `the layer holds ${what}`, {
    mend: 'raise the limits of the layer walk if this image is meant to be so',
  });
}

function canceled(): AppError {
  return new AppError('canceled', 'reading a layer was stopped');
}
