import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { writeTar } from '#cli/demo/tar-writer.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
import { OCI_LAYER_GZIP } from '#model/media-types.ts';
import { type LayerVisitor, walkLayer } from '#sbom/layer-walk.ts';
import { DEFAULT_WALK_LIMITS, type WalkLimits } from '#sbom/limits.ts';

const MIB = 1024 * 1024;

function source(bytes: Buffer, size = 64 * 1024): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })(),
  );
}

function archive(bytes = 3 * MIB): Buffer {
  return writeTar([
    { kind: 'file', path: './opt/large', bytes: Buffer.alloc(bytes) },
    { kind: 'file', path: 'opt/run', bytes: Buffer.from('run'), mode: 0o755 },
    { kind: 'hard-link', path: 'opt/again', target: './opt/run' },
  ]);
}

const NOTHING: LayerVisitor = { entry: () => false, file: () => assert.fail('not asked for') };

async function fails(code: ErrorCode, stream: Readable, limits: Partial<WalkLimits> = {}, signal?: AbortSignal) {
  await assert.rejects(
    walkLayer(stream, OCI_LAYER_GZIP, NOTHING, { ...DEFAULT_WALK_LIMITS, ...limits }, signal),
    (error) => error instanceof AppError && error.code === code,
  );
  assert.ok(stream.destroyed);
}

describe('layer walk', () => {
  for (const [name, packed] of [
    ['gzip', gzipSync(archive())],
    ['zstd', zstdCompressSync(archive())],
    ['plain', archive()],
  ] as const) {
    it(`visits a ${name} layer, content across chunks too`, async () => {
      const seen: unknown[] = [];
      const visitor: LayerVisitor = {
        entry: ({ path, kind, executable, linkPath }) => seen.push([path, kind, executable, linkPath]) > 0,
        file: ({ path }, bytes) => void seen.push([path, bytes.length]),
      };
      const walked = await walkLayer(source(packed), OCI_LAYER_GZIP, visitor, DEFAULT_WALK_LIMITS);
      assert.deepEqual(seen, [
        ['opt/large', 'file', false, ''],
        ['opt/large', 3 * MIB],
        ['opt/run', 'file', true, ''],
        ['opt/run', 3],
        ['opt/again', 'hard-link', false, 'opt/run'],
      ]);
      assert.deepEqual(walked, { compressedBytes: packed.length, unpackedBytes: archive().length, entries: 3 });
    });
  }

  it('waits for the visitor before it reads on', async () => {
    const order: string[] = [];
    const visitor: LayerVisitor = {
      entry: ({ path }) => order.push(path) > 0,
      file: async ({ path }) => {
        await new Promise(setImmediate);
        order.push(`${path} done`);
      },
    };
    await walkLayer(source(archive(10)), OCI_LAYER_GZIP, visitor, DEFAULT_WALK_LIMITS);
    assert.deepEqual(order, ['opt/large', 'opt/large done', 'opt/run', 'opt/run done', 'opt/again']);
  });

  it('lets the event loop turn while it reads from memory', async () => {
    let turns = 0;
    const turn = () => {
      turns++;
      timer = setImmediate(turn);
    };
    let timer = setImmediate(turn);
    await walkLayer(source(archive(24 * MIB)), OCI_LAYER_GZIP, NOTHING, DEFAULT_WALK_LIMITS);
    clearImmediate(timer);
    assert.ok(turns >= 5, `${turns} turns`);
  });

  it('refuses bombs: by size, by ratio, by depth', async () => {
    const zeros = gzipSync(archive(32 * MIB));
    await fails('layer-bomb', source(zeros), { unpackedBytesPerLayer: MIB });
    await fails('layer-bomb', source(zeros), { ratioFloorBytes: MIB });
    const deep = writeTar([{ kind: 'file', path: `${'d/'.repeat(300)}f`, bytes: Buffer.alloc(0) }]);
    await fails('layer-bomb', source(deep));
  });

  it('stops a bomb early, not at its end', async () => {
    const zeros = gzipSync(archive(64 * MIB));
    let given = 0;
    const counted = Readable.from(
      (function* () {
        for (let at = 0; at < zeros.length; at += 1024) {
          given++;
          yield zeros.subarray(at, at + 1024);
        }
      })(),
    );
    await fails('layer-bomb', counted, { ratioFloorBytes: MIB });
    assert.ok(given < zeros.length / 1024 / 2, `${given} pieces were read`);
  });

  it('tells apart a broken archive, another media type and a failing source', async () => {
    await fails('layer-corrupt', source(gzipSync(archive()).subarray(0, 2000)));
    await fails('layer-corrupt', source(gzipSync(archive().subarray(0, 1000))));
    await fails('layer-corrupt', source(Buffer.from('{"errors":[]}'.padEnd(600))));
    const stream = source(archive());
    await assert.rejects(
      walkLayer(stream, 'application/vnd.in-toto+json', NOTHING, DEFAULT_WALK_LIMITS),
      (error) => error instanceof AppError && error.code === 'media-type-unsupported',
    );
    assert.ok(stream.destroyed);
  });

  it('is stopped by its signal, before and during the walk', async () => {
    await fails('canceled', source(archive()), {}, AbortSignal.abort());
    const stop = new AbortController();
    const endless = new Readable({
      read() {
        setImmediate(() => stop.abort());
      },
    });
    await fails('canceled', endless, {}, stop.signal);
  });

  it('passes on what the visitor throws, and lets go of a source that says nothing more', async () => {
    const packed = gzipSync(archive());
    const stream = new Readable({ read: () => undefined });
    stream.push(packed.subarray(0, packed.length - 100));
    const visitor: LayerVisitor = {
      entry: () => {
        throw new RangeError('enough');
      },
      file: () => undefined,
    };
    await assert.rejects(walkLayer(stream, OCI_LAYER_GZIP, visitor, DEFAULT_WALK_LIMITS), RangeError);
    assert.ok(stream.destroyed);
  });
});
