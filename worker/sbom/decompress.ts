import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { AppError } from '#model/errors.ts';
import type { ByteFeed } from '#sbom/byte-feed.ts';

export type Compression = 'gzip' | 'zstd' | 'none';

// 256 KiB is where inflate stops getting faster; the default of 16 KiB costs a third more.
const CHUNK = 256 * 1024;
// Lets the inflating thread run ahead of the tar reader by a few chunks.
const STREAM = { chunkSize: CHUNK, readableHighWaterMark: 4 * CHUNK };
// 128 MiB: what zstd's own tool accepts without being told, and more than image builders use.
const ZSTD = { ...STREAM, params: { [constants.ZSTD_d_windowLogMax]: 27 } };
// Each frame costs a decoder. zstd:chunked writes one a file, and no image has a million files in one layer.
const MAX_FRAMES = 1_000_000;

type Decoder = ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>;

/**
 * The compression that the first bytes show. The media type is not asked: container runtimes do not ask it either, so
 * what would be unpacked is what is read here.
 */
export function detectCompression(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return isZstdFrame(head) ? 'zstd' : 'none';
}

/**
 * The unpacked bytes of a layer. Reads the feed to its very end, also beyond the end of the compressed stream, because
 * only then has the source checked its digest.
 * @throws AppError `layer-corrupt` when the stream is cut or broken.
 */
export async function* decompress(feed: ByteFeed): AsyncGenerator<Uint8Array> {
  const compression = detectCompression(await feed.peek(4));
  switch (compression) {
    case 'none':
      yield* drain(feed);
      return;
    case 'gzip':
      // Concatenated members (eStargz writes one a file) are the decoder's own matter.
      yield* decode(feed, createGunzip(STREAM));
      for await (const _ of drain(feed));
      return;
    case 'zstd':
      yield* decodeFrames(feed);
      return;
  }
}

/** Node's decoder stops after one frame without a word; zstd:chunked and pzstd write many. */
async function* decodeFrames(feed: ByteFeed): AsyncGenerator<Uint8Array> {
  for (let frames = 0; ; frames++) {
    const head = await feed.peek(8);
    if (head.length === 0) return;
    if (frames > MAX_FRAMES) throw new AppError('layer-bomb', `the layer holds more than ${MAX_FRAMES} zstd frames`);
    if (isSkippableFrame(head)) await skip(feed, 8 + Buffer.from(head).readUInt32LE(4));
    else if (isDataFrame(head)) yield* decode(feed, createZstdDecompress(ZSTD));
    else throw corrupt('other bytes follow the last zstd frame');
  }
}

function isZstdFrame(head: Uint8Array): boolean {
  return isDataFrame(head) || (head.length >= 4 && isSkippableMagic(head));
}

/** RFC 8878, 3.1.1. */
function isDataFrame(head: Uint8Array): boolean {
  return head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd;
}

/** RFC 8878, 3.1.2: a magic number and the length of what is to be skipped. */
function isSkippableFrame(head: Uint8Array): boolean {
  return head.length === 8 && isSkippableMagic(head);
}

function isSkippableMagic(head: Uint8Array): boolean {
  return ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
}

async function skip(feed: ByteFeed, length: number): Promise<void> {
  for (let left = length; left > 0; ) {
    const bytes = await feed.next();
    if (!bytes) throw corrupt('it ends in a frame');
    feed.unread(bytes.subarray(left));
    left -= bytes.length;
  }
}

async function* drain(feed: ByteFeed): AsyncGenerator<Uint8Array> {
  for (let bytes = await feed.next(); bytes; bytes = await feed.next()) yield bytes;
}

async function* decode(feed: ByteFeed, decoder: Decoder): AsyncGenerator<Uint8Array> {
  const fed = pump(feed, decoder);
  try {
    for await (const bytes of decoder) yield bytes;
  } catch (error) {
    throw isZlibError(error) ? corrupt(error) : error;
  } finally {
    // Not waited for here: when the reader gives up, the source may never say another word.
    decoder.destroy();
  }
  await fed;
}

/**
 * Feeds the decoder one chunk at a time, so that the bytes behind the end of its stream can be given back. Never
 * rejects: a failing source destroys the decoder, whose reader then sees the failure.
 */
async function pump(feed: ByteFeed, decoder: Decoder): Promise<void> {
  const over = new Promise<void>((resolve) => {
    decoder.once('end', resolve);
    decoder.once('close', resolve);
  });
  try {
    for (;;) {
      const chunk = await feed.next();
      if (!chunk) break;
      const before = decoder.bytesWritten;
      const written = new Promise<void>((resolve) => decoder.write(chunk, () => resolve()));
      await Promise.race([written, over]);
      const used = decoder.bytesWritten - before;
      if (used < chunk.length) return feed.unread(chunk.subarray(used));
    }
    decoder.end();
  } catch (error) {
    decoder.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

function isZlibError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(?:Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD)/.test(code);
}

function corrupt(cause: unknown): AppError {
  const why = cause instanceof Error ? cause.message : cause;
  return new AppError('layer-corrupt', `the layer's compressed stream is broken: ${why}`, {
    cause,
    mend: 'push the image again; what the registry holds cannot be unpacked',
  });
}
