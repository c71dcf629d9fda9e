import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { paxHeader, sealTarHeader, tarBody, tarHeader, tarItem, writeTar } from '#cli/demo/tar-writer.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
import { DEFAULT_WALK_LIMITS } from '#sbom/limits.ts';
import { createTarReader, type TarEntry } from '#sbom/tar-reader.ts';

const END = Buffer.alloc(1024);

interface Read {
  readonly entries: TarEntry[];
  readonly files: Map<string, string>;
}

function read(archive: Buffer, pieceSize = archive.length, limits = DEFAULT_WALK_LIMITS): Read {
  const entries: TarEntry[] = [];
  const files = new Map<string, string>();
  const reader = createTarReader((entry) => {
    entries.push(entry);
    return !entry.name.includes('unwanted');
  }, limits);
  for (let start = 0; start < archive.length; start += pieceSize) {
    const piece = archive.subarray(start, start + pieceSize);
    for (let at = 0; at < piece.length; ) {
      at = reader.take(piece, at);
      const file = reader.completed();
      if (file) files.set(file.entry.name, file.bytes.toString());
    }
  }
  reader.end();
  return { entries, files };
}

function fails(code: ErrorCode, archive: Buffer, limits = DEFAULT_WALK_LIMITS): void {
  assert.throws(
    () => read(archive, archive.length, limits),
    (error) => error instanceof AppError && error.code === code,
  );
}

function file(path: string, text: string) {
  return { kind: 'file', path, bytes: Buffer.from(text) } as const;
}

describe('tar reader', () => {
  const long = `${'deep/'.repeat(40)}file`;
  const archive = writeTar([
    { kind: 'directory', path: 'etc' },
    file('etc/a', 'A'.repeat(700)),
    file('etc/empty', ''),
    file('etc/unwanted', 'U'.repeat(1500)),
    { kind: 'symlink', path: 'etc/link', target: 'a' },
    { kind: 'hard-link', path: 'etc/hard', target: `${'t/'.repeat(90)}x` },
    file(long, 'long'),
    file('etc/last', 'L'.repeat(512)),
  ]);

  for (const size of [1, 7, 511, 512, 513, 100_000]) {
    it(`reads the same in pieces of ${size} bytes`, () => {
      const { entries, files } = read(archive, size);
      assert.deepEqual(
        entries.map(({ name, kind, size: length }) => [name, kind, length]),
        [
          ['etc/', 'directory', 0],
          ['etc/a', 'file', 700],
          ['etc/empty', 'file', 0],
          ['etc/unwanted', 'file', 1500],
          ['etc/link', 'symlink', 0],
          ['etc/hard', 'hard-link', 0],
          [long, 'file', 4],
          ['etc/last', 'file', 512],
        ],
      );
      assert.deepEqual([...files.keys()], ['etc/a', 'etc/empty', long, 'etc/last']);
      assert.equal(files.get('etc/a'), 'A'.repeat(700));
      assert.equal(files.get(long), 'long');
      assert.equal(entries[5]?.linkName, `${'t/'.repeat(90)}x`);
    });
  }

  it('takes GNU long names and long link names', () => {
    const name = `${'n'.repeat(150)}/file`;
    const { entries } = read(
      Buffer.concat([
        tarHeader({ name: '././@LongLink', type: 'L', size: name.length + 1 }),
        ...tarBody(Buffer.from(`${name}\0`)),
        tarHeader({ name: '././@LongLink', type: 'K', size: 200 }),
        ...tarBody(Buffer.from('k'.repeat(200))),
        tarHeader({ name: 'short', type: '2', size: 0, linkName: 'cut' }),
        ...tarItem(file('next', '')),
        END,
      ]),
    );
    assert.deepEqual(
      entries.map((entry) => [entry.name, entry.linkName]),
      [
        [name, 'k'.repeat(200)],
        ['next', ''],
      ],
    );
  });

  it('joins the prefix of ustar, and not the times that GNU keeps in its place', () => {
    const ustar = tarHeader({ name: 'file', type: '0', size: 0 });
    ustar.write('some/where', 345);
    const gnu = Buffer.from(ustar);
    gnu.write('ustar  \0', 257, 'latin1');
    const { entries } = read(Buffer.concat([sealTarHeader(ustar), sealTarHeader(gnu), END]));
    assert.deepEqual(
      entries.map(({ name }) => name),
      ['some/where/file', 'file'],
    );
  });

  it('takes sizes from pax and in base 256', () => {
    const base256 = tarHeader({ name: 'b', type: '0', size: 0 });
    Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1]).copy(base256, 124);
    const { entries, files } = read(
      Buffer.concat([
        ...paxHeader({ size: '600', path: 'a' }),
        tarHeader({ name: 'x', type: '0', size: 0 }),
        ...tarBody(Buffer.alloc(600, 'a')),
        sealTarHeader(base256),
        ...tarBody(Buffer.alloc(513, 'b')),
        ...tarItem(file('c', 'c')),
        END,
      ]),
    );
    assert.deepEqual(
      entries.map(({ name, size }) => [name, size]),
      [
        ['a', 600],
        ['b', 513],
        ['c', 1],
      ],
    );
    assert.equal(files.get('b'), 'b'.repeat(513));
  });

  it('ignores the size of links and folders, and changes nothing for a global header', () => {
    const { entries } = read(
      Buffer.concat([
        tarHeader({ name: 'pax_global_header', type: 'g', size: 20 }),
        ...tarBody(Buffer.from('20 path=never-taken\n')),
        tarHeader({ name: 'link', type: '1', size: 4096, linkName: 'a' }),
        tarHeader({ name: 'folder', type: '5', size: 4096 }),
        tarHeader({ name: 'old-folder/', type: '\0', size: 0 }),
        ...tarItem(file('after', 'x')),
        END,
      ]),
    );
    assert.deepEqual(
      entries.map(({ name, kind }) => [name, kind]),
      [
        ['link', 'hard-link'],
        ['folder', 'directory'],
        ['old-folder/', 'directory'],
        ['after', 'file'],
      ],
    );
  });

  it('marks sparse files of both forms', () => {
    const old = tarHeader({ name: 'old', type: 'S', size: 512 });
    old[482] = 1;
    const more = Buffer.alloc(512);
    more[504] = 1;
    const { entries } = read(
      Buffer.concat([
        sealTarHeader(old),
        more,
        Buffer.alloc(512),
        ...tarBody(Buffer.alloc(512, 's')),
        ...paxHeader({ 'GNU.sparse.major': '1', 'GNU.sparse.name': 'new' }),
        tarHeader({ name: 'GNUSparseFile.0/new', type: '0', size: 3 }),
        ...tarBody(Buffer.from('0\n\n')),
        ...tarItem(file('plain', '')),
        END,
      ]),
    );
    assert.deepEqual(
      entries.map(({ name, sparse }) => [name, sparse]),
      [
        ['old', true],
        ['new', true],
        ['plain', false],
      ],
    );
  });

  it('stops at the end mark, whatever follows', () => {
    const { entries } = read(Buffer.concat([writeTar([file('a', '')]), ...tarItem(file('hidden', ''))]));
    assert.deepEqual(
      entries.map(({ name }) => name),
      ['a'],
    );
  });

  it('takes an archive without an end mark, and one whose last padding is cut', () => {
    const items = tarItem(file('a', 'abc'));
    assert.equal(read(Buffer.concat(items)).files.get('a'), 'abc');
    assert.equal(read(Buffer.concat(items).subarray(0, 512 + 3)).files.get('a'), 'abc');
    assert.deepEqual(read(Buffer.alloc(0)).entries, []);
  });

  it('refuses an archive that ends in a header, a wanted body or an unwanted body', () => {
    const whole = Buffer.concat(tarItem(file('a', 'A'.repeat(600))));
    const unwanted = Buffer.concat(tarItem(file('unwanted', 'A'.repeat(600))));
    fails('layer-corrupt', whole.subarray(0, 300));
    fails('layer-corrupt', whole.subarray(0, 512 + 599));
    fails('layer-corrupt', unwanted.subarray(0, 512 + 599));
    fails('layer-corrupt', Buffer.concat([tarHeader({ name: 'unwanted-lie', type: '0', size: 1e9 }), END]));
  });

  it('refuses what is no archive, and fields that are no numbers', () => {
    fails('layer-corrupt', Buffer.from('<html>'.padEnd(2048, 'x')));
    const text = tarHeader({ name: 'a', type: '0', size: 0 });
    text.write('99999999999', 124, 'latin1');
    fails('layer-corrupt', Buffer.concat([sealTarHeader(text), END]));
    const negative = tarHeader({ name: 'a', type: '0', size: 0 });
    negative.fill(0xff, 124, 136);
    fails('layer-corrupt', Buffer.concat([sealTarHeader(negative), END]));
    const huge = tarHeader({ name: 'a', type: '0', size: 0 });
    huge.fill(0x7f, 125, 136);
    huge[124] = 0x80;
    fails('layer-corrupt', Buffer.concat([sealTarHeader(huge), END]));
    fails('layer-corrupt', Buffer.concat([Buffer.alloc(512), ...tarItem(file('a', '')), END]));
  });

  for (const records of ['3 a=b\n', '99 path=x\n', 'x path=x\n', '8 path\nx', '11 size=-1\n', '0 path=x\n']) {
    it(`refuses the pax header ${JSON.stringify(records)}`, () => {
      const pax = tarHeader({ name: 'pax', type: 'x', size: records.length });
      const next = tarItem(file('a', ''));
      fails('layer-corrupt', Buffer.concat([pax, ...tarBody(Buffer.from(records)), ...next, END]));
    });
  }

  it('bounds entries, paths, extended headers and captured files', () => {
    const limits = { ...DEFAULT_WALK_LIMITS, entries: 3, pathBytes: 120, capturedFileBytes: 100 };
    fails('layer-bomb', writeTar([file('a', ''), file('b', ''), file('c', ''), file('d', '')]), limits);
    fails('layer-bomb', writeTar([file('x'.repeat(121), '')]), limits);
    fails('layer-bomb', writeTar([file('a', 'x'.repeat(101))]), limits);
    fails('layer-bomb', Buffer.concat([tarHeader({ name: 'pax', type: 'x', size: 2 ** 21 }), END]));
    fails('layer-bomb', Buffer.concat([tarHeader({ name: 'long', type: 'L', size: 2 ** 21 }), END]));
  });
});
