import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'node:test';
import { codeLines, filesBelow, ROOT, sourcesBelow } from './source-files.ts';

const CODE_FOLDERS = ['worker', 'producer', 'config', 'bin', 'scripts', 'test'];
const PRODUCT = sourcesBelow('worker', 'producer', 'config');
const ALL = sourcesBelow(...CODE_FOLDERS);

const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)+$/;
/** Names that say nothing of what is inside. */
const EMPTY_WORDS =
  /^(?:utils?|helpers?|commons?|shared|misc|types?|interfaces?|constants|legacy|stuff|lib|manager|v\d+)$/;

const CEILING = 250;
/** Files over the ceiling, each with its size. This list only shrinks. */
const OVERSIZE: Readonly<Record<string, number>> = {};

test('files are named in kebab-case', () => {
  const odd = CODE_FOLDERS.flatMap(filesBelow).filter((path) => !KEBAB.test(basename(path)));
  assert.deepEqual(odd, []);
});

test('no file and no folder has a name that says nothing', () => {
  const empty = CODE_FOLDERS.flatMap(filesBelow).filter((path) =>
    path.split('/').some((part) => EMPTY_WORDS.test(part.replace(/\..*$/, ''))),
  );
  assert.deepEqual(empty, [], 'name it for the noun that it exports or the verb that it performs');
});

test(`no file holds more than ${CEILING} lines of code`, () => {
  const large = ALL.map(({ path, text }) => ({ path, lines: codeLines(text) })).filter(({ lines }) => lines > CEILING);
  const unnamed = large.filter(({ path, lines }) => lines > (OVERSIZE[path] ?? CEILING));
  assert.deepEqual(unnamed, [], 'one file, one job: cut it');
  const stale = Object.keys(OVERSIZE).filter((path) => !large.some((file) => file.path === path));
  assert.deepEqual(stale, [], 'these need no exception any more');
});

test('the median file is short', () => {
  const sizes = PRODUCT.map(({ text }) => codeLines(text)).sort((a, b) => a - b);
  const median = sizes[Math.floor(sizes.length / 2)] ?? 0;
  assert.ok(median <= 90, `the median is ${median} lines of code`);
});

test('folders lie at most three deep below their room', () => {
  const deep = PRODUCT.filter(({ path }) => path.split('/').length > (path.startsWith('worker/') ? 6 : 5));
  assert.deepEqual(
    deep.map(({ path }) => path),
    [],
  );
});

test('index.ts stands only where a folder is a catalogue, and nobody inside the folder imports it', () => {
  const inside = PRODUCT.flatMap(({ path, imports }) =>
    imports
      .filter(({ target }) => target.kind === 'file' && target.path.endsWith('/index.ts'))
      .filter(({ target }) => target.kind === 'file' && path.startsWith(target.path.replace('index.ts', '')))
      .map(({ specifier }) => `${path} imports ${specifier}`),
  );
  assert.deepEqual(inside, []);
});

test('tests lie where the room that they test is mirrored', () => {
  const rooms = new Set([...readdirSync(join(ROOT, 'worker')), 'config', 'producer', 'deploy', 'scripts']);
  const strays = readdirSync(join(ROOT, 'test', 'unit')).filter((folder) => !rooms.has(folder));
  assert.deepEqual(strays, []);
});
