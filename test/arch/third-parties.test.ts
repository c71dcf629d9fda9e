import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { roomOf } from './rooms.ts';
import { MANIFEST, ROOT, sourcesBelow } from './source-files.ts';
import { THIRD_PARTIES } from './third-parties.ts';

const SOURCES = sourcesBelow('worker', 'producer', 'config');

test('a library is imported only at home', () => {
  const breaches = SOURCES.flatMap(({ path, imports }) =>
    imports
      .filter(({ target }) => {
        if (target.kind !== 'package') return false;
        const rooms = THIRD_PARTIES[target.name]?.rooms ?? [];
        return !rooms.includes('*') && !rooms.includes(roomOf(path)?.name ?? '');
      })
      .map(({ specifier }) => `${path} imports ${specifier}`),
  );
  assert.deepEqual(breaches, [], 'use it through its home, or name the room and the reason in third-parties.ts');
});

test('the runtime dependencies are those of the table', () => {
  const named = (optional: boolean) =>
    Object.keys(THIRD_PARTIES)
      .filter((name) => (THIRD_PARTIES[name]?.optional ?? false) === optional)
      .sort();
  assert.deepEqual(Object.keys(MANIFEST.dependencies).sort(), named(false));
  const optional = Object.keys(MANIFEST.optionalDependencies).filter((name) => !name.startsWith('node-linux-'));
  assert.deepEqual(optional.sort(), named(true));
});

test('every dependency is pinned to one version, and few are enough', () => {
  const all = { ...MANIFEST.dependencies, ...MANIFEST.optionalDependencies, ...MANIFEST.devDependencies };
  const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
  assert.deepEqual(loose, []);
  assert.ok(Object.keys(MANIFEST.dependencies).length <= 20, 'think before adding the 21st runtime dependency');
  assert.equal('oras' in all, false, 'the npm package called oras is unrelated to ORAS');
});

test('CONTRIBUTING names every runtime dependency with its reason', () => {
  const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  const unnamed = Object.keys(THIRD_PARTIES).filter((name) => !text.includes(`\`${name}\``));
  assert.deepEqual(unnamed, []);
});

test('the lock file holds no address of a registry, and a version for everything it names', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string; resolved?: string; hasInstallScript?: boolean }>;
  };
  const entries = Object.entries(lock.packages).filter(([path]) => path !== '');
  assert.deepEqual(
    entries.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
    [],
  );
  assert.deepEqual(
    entries.filter(([, { version }]) => version === undefined).map(([path]) => path),
    [],
  );
  const root = lock.packages[''] as unknown as Pick<Manifest, 'dependencies'>;
  assert.deepEqual(root.dependencies, MANIFEST.dependencies);
});

type Manifest = typeof MANIFEST;
