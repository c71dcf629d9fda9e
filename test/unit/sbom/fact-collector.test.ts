import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { type TarItem, tarItem, writeTar } from '#cli/demo/tar-writer.ts';
import { AppError } from '#model/errors.ts';
import { OCI_LAYER_GZIP } from '#model/media-types.ts';
import type { Cataloger } from '#sbom/cataloger.ts';
import { createFactCollector } from '#sbom/fact-collector.ts';
import type { LayerFacts } from '#sbom/layer-facts.ts';
import { walkLayer } from '#sbom/layer-walk.ts';
import { DEFAULT_WALK_LIMITS } from '#sbom/limits.ts';
import { textFile } from '../../support/image.ts';

/** Reads `*.pkg` files: one package of the name that is their content. */
const packages: Cataloger = {
  id: 'packages',
  version: 1,
  maxBytes: 20,
  wants: ({ path }) => path.endsWith('.pkg'),
  parse: (_, bytes) => [{ kind: 'package', type: 'generic', name: Buffer.from(bytes).toString(), version: '1' }],
};

/** Reads `*.db` together with `*.db-log`, whichever comes first. */
const database: Cataloger = {
  id: 'database',
  version: 1,
  maxBytes: 100,
  wants: ({ path }) => /\.db(?:-log)?$/.test(path),
  companionOf: (path) => (path.endsWith('-log') ? path.slice(0, -4) : undefined),
  parse: async (path, bytes, companions) => {
    const log = companions.get(`${path}-log`);
    const name = `${Buffer.from(bytes).toString()}+${log ? Buffer.from(log).toString() : 'none'}`;
    return [{ kind: 'package', type: 'generic', name, version: '1' }];
  },
};

async function collect(
  archive: Buffer,
  catalogers: readonly Cataloger[],
  limits = DEFAULT_WALK_LIMITS,
): Promise<{ facts: LayerFacts; visits: number }> {
  const collector = createFactCollector(catalogers, limits);
  const walked = await walkLayer(Readable.from([archive]), OCI_LAYER_GZIP, collector.visitor, limits);
  const links = collector.linkVisitor();
  if (links) await walkLayer(Readable.from([archive]), OCI_LAYER_GZIP, links, limits);
  return { facts: await collector.facts('1', walked.unpackedBytes), visits: links ? 2 : 1 };
}

function names({ files }: LayerFacts): string[] {
  return files.flatMap(({ path, facts }) =>
    facts.map((fact) => `${path}:${fact.kind === 'package' ? fact.name : fact.kind}`),
  );
}

function link(path: string, target: string): TarItem {
  return { kind: 'hard-link', path, target };
}

describe('fact collector', () => {
  it('reads hard links in a second visit, through chains, whatever their targets are called', async () => {
    const archive = writeTar([
      textFile('store/ab12', 'stored'),
      textFile('kept.pkg', 'kept'),
      link('a.pkg', 'store/ab12'),
      link('b.pkg', 'kept.pkg'),
      link('c.pkg', 'a.pkg'),
      link('lost.pkg', 'elsewhere'),
      link('ring-1.pkg', 'ring-2.pkg'),
      link('ring-2.pkg', 'ring-1.pkg'),
      link('no-evidence', 'store/ab12'),
    ]);
    const { facts, visits } = await collect(archive, [packages]);
    assert.equal(visits, 2);
    assert.deepEqual(names(facts).sort(), ['a.pkg:stored', 'b.pkg:kept', 'c.pkg:stored', 'kept.pkg:kept']);
    assert.equal(facts.gaps.length, 3);
    assert.match(facts.gaps[0] ?? '', /^lost\.pkg links to elsewhere/);
  });

  it('visits once when no wanted file is a link', async () => {
    const { visits } = await collect(writeTar([textFile('a.pkg', 'a'), link('other', 'a.pkg')]), [packages]);
    assert.equal(visits, 1);
  });

  it('takes the later of two entries of one path, of any kind', async () => {
    const archive = writeTar([
      textFile('a.pkg', 'first'),
      textFile('./a.pkg', 'second'),
      textFile('b.pkg', 'gone'),
      { kind: 'symlink', path: 'b.pkg', target: 'a.pkg' },
      link('c.pkg', 'a.pkg'),
      textFile('c.pkg', 'own'),
    ]);
    const { facts, visits } = await collect(archive, [packages]);
    assert.deepEqual(names(facts), ['a.pkg:second', 'c.pkg:own']);
    assert.equal(visits, 1);
  });

  it('hands a file over with its companions, from either side', async () => {
    const archive = writeTar([
      textFile('a.db-log', 'log'),
      textFile('a.db', 'base'),
      textFile('b.db', 'alone'),
      textFile('c.db-log', 'orphan'),
    ]);
    const { facts } = await collect(archive, [database]);
    assert.deepEqual(names(facts), ['a.db:base+log', 'b.db:alone+none']);
  });

  it('names what it does not read: too large, sparse', async () => {
    const sparse = tarItem(textFile('s.pkg', 'x'))[0] ?? Buffer.alloc(512);
    sparse.write('S', 156);
    sparse.write('        ', 148);
    sparse.write(
      `${sparse
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    const body = Buffer.alloc(512);
    const { facts } = await collect(Buffer.concat([sparse, body, writeTar([textFile('l.pkg', 'x'.repeat(21))])]), [
      packages,
    ]);
    assert.deepEqual(names(facts), []);
    assert.match(facts.gaps[0] ?? '', /^s\.pkg is stored as a sparse file/);
    assert.match(facts.gaps[1] ?? '', /^l\.pkg \(21 bytes\) is over the limit of 20/);
  });

  it('keeps of owned files only those that could be evidence', async () => {
    const owner: Cataloger = {
      ...packages,
      id: 'owner',
      wants: ({ path }) => path === 'list',
      parse: () => [{ kind: 'owns', paths: ['usr/bin/x', 'usr/y.pkg', 'etc/z'] }],
    };
    const { facts } = await collect(writeTar([textFile('list', '')]), [packages, owner]);
    assert.deepEqual(facts.files, [{ path: 'list', facts: [{ kind: 'owns', paths: ['usr/y.pkg'] }] }]);
  });

  it('is plain JSON', async () => {
    const { facts } = await collect(writeTar([textFile('a.pkg', 'a'), textFile('x/.wh.y', '')]), [packages]);
    assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts);
    assert.deepEqual(facts.whiteouts, ['x/y']);
  });

  it('bounds facts and held files', async () => {
    const many = writeTar(Array.from({ length: 50 }, (_, i) => textFile(`${i}.pkg`, `${i}`)));
    const dbs = writeTar(Array.from({ length: 50 }, (_, i) => textFile(`${i}.db`, `${i}`)));
    const isBomb = (error: unknown) => error instanceof AppError && error.code === 'layer-bomb';
    await assert.rejects(collect(many, [packages], { ...DEFAULT_WALK_LIMITS, factsChars: 1000 }), isBomb);
    await assert.rejects(collect(dbs, [database], { ...DEFAULT_WALK_LIMITS, heldBytes: 50 }), isBomb);
  });
});
