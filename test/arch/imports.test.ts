import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ROOMS, roomOf } from './rooms.ts';
import { MANIFEST, ROOT, type SourceFile, sourcesBelow } from './source-files.ts';

const SOURCES = sourcesBelow('worker', 'producer', 'config');

test('every source file lies in a room', () => {
  assert.ok(SOURCES.length > 100, `only ${SOURCES.length} files were found`);
  const homeless = SOURCES.filter(({ path }) => roomOf(path) === undefined).map(({ path }) => path);
  assert.deepEqual(homeless, [], 'put these into a room of test/arch/rooms.ts');
});

test('every room of the table exists, and so do the rooms that it may import', () => {
  const empty = ROOMS.filter((room) => !SOURCES.some(({ path }) => room.holds(path))).map(({ name }) => name);
  assert.deepEqual(empty, []);
  const names = new Set(ROOMS.map(({ name }) => name));
  const unknown = ROOMS.flatMap(({ mayImport }) => (mayImport === 'everything' ? [] : mayImport)).filter(
    (name) => !names.has(name),
  );
  assert.deepEqual(unknown, []);
});

test('rooms import only whom they may, types included', () => {
  const breaches = SOURCES.flatMap((source) => {
    const room = roomOf(source.path);
    if (!room || room.mayImport === 'everything') return [];
    return localTargets(source)
      .map((path) => ({ path, to: roomOf(path) }))
      .filter(({ to }) => to !== room && !room.mayImport.includes(to?.name ?? ''))
      .map(({ path }) => `${source.path} imports ${path}: ${room.why}`);
  });
  assert.deepEqual(breaches, []);
});

test('only compose, the command line and entry points import config and entry points', () => {
  const breaches = SOURCES.flatMap((source) => {
    const from = roomOf(source.path)?.name ?? '';
    return localTargets(source)
      .filter((path) => {
        const to = roomOf(path)?.name;
        if (to !== 'config' && to !== 'entry points') return false;
        return from !== to && !['compose', 'cli', 'entry points'].includes(from);
      })
      .map((path) => `${source.path} imports ${path}`);
  });
  assert.deepEqual(breaches, []);
});

test('imports across rooms go through an alias, name the file, and hit it', () => {
  const breaches = SOURCES.flatMap((source) =>
    source.imports.flatMap(({ specifier, target }) => {
      if (target.kind !== 'file') return [];
      if (!existsSync(join(ROOT, target.path))) return [`${source.path}: ${specifier} is not there`];
      if (specifier.startsWith('.')) return [`${source.path}: write ${specifier} with its alias`];
      return [];
    }),
  );
  assert.deepEqual(breaches, []);
});

test('every alias is a room that exists', () => {
  const dead = Object.entries(MANIFEST.imports)
    .filter(([, target]) => !existsSync(join(ROOT, target.replace('/*', ''))))
    .map(([alias]) => alias);
  assert.deepEqual(dead, []);
});

test('options files import zod, model and each other only, so that reading a configuration loads no room', () => {
  const breaches = SOURCES.filter(({ path }) => path.endsWith('/options.ts')).flatMap(({ path, imports }) =>
    imports
      .filter(({ specifier }) => !/^zod(?:\/mini)?$|^#model\/|^#[^.]+\/options\.ts$/.test(specifier))
      .map(({ specifier }) => `${path} imports ${specifier}`),
  );
  assert.deepEqual(breaches, []);
});

test('no module imports itself through others', () => {
  const byPath = new Map(SOURCES.map((source) => [source.path, source]));
  const done = new Set<string>();
  const cycles: string[] = [];
  function visit(path: string, trail: readonly string[]): void {
    const source = byPath.get(path);
    if (!source || done.has(path)) return;
    const again = trail.indexOf(path);
    if (again >= 0) {
      cycles.push([...trail.slice(again), path].join(' -> '));
      return;
    }
    for (const target of localTargets(source)) visit(target, [...trail, path]);
    done.add(path);
  }
  for (const { path } of SOURCES) visit(path, []);
  assert.deepEqual(cycles, []);
});

function localTargets(source: SourceFile): string[] {
  return source.imports.flatMap(({ target }) => (target.kind === 'file' ? [target.path] : []));
}
