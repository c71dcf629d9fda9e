import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { AppError } from '#model/errors.ts';
import { createByteFeed } from '#sbom/byte-feed.ts';
import { decompress } from '#sbom/decompress.ts';

const CONTENT = randomBytes(5000);

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function unpack(bytes: Buffer, size = 700): Promise<{ content: Buffer; received: number }> {
  const feed = createByteFeed(Readable.from(pieces(bytes, size)));
  const chunks = [];
  for await (const chunk of decompress(feed)) chunks.push(chunk);
  return { content: Buffer.concat(chunks), received: feed.received() };
}

function skippableFrame(size: number): Buffer {
  const frame = Buffer.alloc(8 + size, 0x11);
  frame.writeUInt32LE(0x184d2a53, 0);
  frame.writeUInt32LE(size, 4);
  return frame;
}

describe('decompress', () => {
  const twice = Buffer.concat([CONTENT, CONTENT]);
  const gzip = gzipSync(CONTENT);
  const zstd = zstdCompressSync(CONTENT);
  const cases: readonly (readonly [string, Buffer, Buffer])[] = [
    ['one gzip member', gzip, CONTENT],
    ['concatenated gzip members', Buffer.concat([gzip, gzip]), twice],
    ['gzip with zeros behind it', Buffer.concat([gzip, Buffer.alloc(9000)]), CONTENT],
    ['one zstd frame', zstd, CONTENT],
    ['concatenated zstd frames', Buffer.concat([zstd, zstd]), twice],
    ['a skippable zstd frame in front', Buffer.concat([skippableFrame(300), zstd]), CONTENT],
    ['skippable frames between and behind', Buffer.concat([zstd, skippableFrame(9), zstd, skippableFrame(0)]), twice],
    ['plain bytes', CONTENT, CONTENT],
    ['nothing', Buffer.alloc(0), Buffer.alloc(0)],
  ];
  for (const [name, packed, expected] of cases) {
    for (const size of [37, 700, 1_000_000]) {
      it(`unpacks ${name} in pieces of ${size}, and reads the source to its end`, async () => {
        const { content, received } = await unpack(packed, size);
        assert.ok(content.equals(expected));
        assert.equal(received, packed.length);
      });
    }
  }

  for (const [name, packed] of [
    ['gzip', gzip.subarray(0, 3000)],
    ['zstd', zstd.subarray(0, 3000)],
    ['a second gzip member', Buffer.concat([gzip, gzip.subarray(0, 100)])],
    ['a skippable frame', Buffer.concat([zstd, skippableFrame(100).subarray(0, 60)])],
    ['the head of a skippable frame', Buffer.concat([zstd, skippableFrame(100).subarray(0, 6)])],
    ['a second zstd frame', Buffer.concat([zstd, zstd.subarray(0, 100)])],
  ] as const) {
    it(`refuses a truncated stream: ${name}`, async () => {
      await assert.rejects(unpack(packed), (error) => error instanceof AppError && error.code === 'layer-corrupt');
    });
  }

  for (const size of [zstd.length, 700]) {
    it(`refuses other bytes behind zstd frames, in pieces of ${size}`, async () => {
      const packed = Buffer.concat([zstd, Buffer.alloc(9000, 7)]);
      await assert.rejects(
        unpack(packed, size),
        (error) => error instanceof AppError && error.code === 'layer-corrupt',
      );
    });
  }

  it('refuses a gzip stream whose checksum lies', async () => {
    const broken = Buffer.from(gzip);
    broken.writeUInt8((broken.at(-6) ?? 0) ^ 1, broken.length - 6);
    await assert.rejects(unpack(broken), (error) => error instanceof AppError && error.code === 'layer-corrupt');
  });

  it('passes on the failure of its source as it is', async () => {
    const failure = new AppError('digest-mismatch', 'not those bytes');
    const source = Readable.from(
      (function* () {
        yield gzip.subarray(0, 2000);
        throw failure;
      })(),
    );
    await assert.rejects(
      async () => {
        for await (const _ of decompress(createByteFeed(source)));
      },
      (error) => error === failure,
    );
  });

  it('fails when the source fails behind the end of the compressed stream', async () => {
    const failure = new AppError('digest-mismatch', 'not those bytes');
    const source = Readable.from(
      (function* () {
        yield zstd;
        throw failure;
      })(),
    );
    await assert.rejects(
      async () => {
        for await (const _ of decompress(createByteFeed(source)));
      },
      (error) => error === failure,
    );
  });
});
