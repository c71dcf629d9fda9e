import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ERRORS } from '#model/errors.ts';
import { EVENTS } from '#model/event.ts';
import { DEFECTS } from '#model/evidence.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import { REASONS } from '#model/verdict.ts';
import { filesBelow, MANIFEST, ROOT, sourcesBelow } from './source-files.ts';

const SOURCES = sourcesBelow('worker', 'producer', 'config');
const TEXT =
  /\.(?:ts|mjs|js|json|md|ya?ml|sh|conf)$|(?:^|\/)(?:Dockerfile|LICENSE|run|\.[a-z]+(?:rc|ignore|config|attributes))$/;

test('the program names itself as its package does', () => {
  assert.equal(TOOL_NAME, MANIFEST.name);
  assert.equal(TOOL_VERSION, MANIFEST.version);
});

test('the changelog tells of this version, and has room for what is not released yet', () => {
  const text = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  assert.match(text, /^## Pending$/m);
});

test('the licence is the one that the package names', () => {
  const text = readFileSync(join(ROOT, 'LICENSE'), 'utf8');
  assert.match(text, /Apache License\s+Version 2\.0, January 2004/);
  assert.match(text, /END OF TERMS AND CONDITIONS/);
});

test('what is run directly can be run', () => {
  for (const path of ['bin/attestry.mjs', '.ci/run']) {
    assert.ok(statSync(join(ROOT, path)).mode & 0o100, `${path} is not executable`);
  }
});

test('every script of package.json runs a file that is there', () => {
  for (const [name, command] of Object.entries(MANIFEST.scripts)) {
    const file = /^node (\S+)/.exec(command)?.[1];
    if (file !== undefined) assert.ok(statSync(join(ROOT, file)).isFile(), `${name}: ${file}`);
  }
});

test('no file speaks of the machine that it was written on', () => {
  const machine = /(?:^|[\s"'`(=:])\/(?:work|root|home\/[a-z]+|Users\/[A-Za-z]+)\/[\w.-]+/m;
  const telling = ['', '.ci']
    .flatMap((folder) =>
      folder === '' ? filesBelow('').filter((path) => !path.startsWith('.ci/')) : filesBelow(folder),
    )
    .filter((path) => TEXT.test(path) && path !== 'test/arch/repository.test.ts' && path !== 'package-lock.json')
    .flatMap((path) => {
      const found = machine.exec(readFileSync(join(ROOT, path), 'utf8'))?.[0];
      return found === undefined ? [] : [`${path}: ${found.trim()}`];
    });
  assert.deepEqual(telling, []);
});

test('the top level holds what the reader expects, and nothing else', () => {
  const shown = readdirSync(ROOT).filter((name) => !/^(?:\.|node_modules$|dist$)/.test(name));
  const expected = [
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'Dockerfile',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'bin',
    'biome.json',
    'config',
    'deploy',
    'docker-compose.yml',
    'docs',
    'package-lock.json',
    'package.json',
    'producer',
    'scripts',
    'test',
    'tsconfig.json',
    'worker',
  ];
  assert.deepEqual(shown.sort(), expected);
});

/** The closed catalogues: a code that nobody uses is a promise that nobody keeps. */
const CATALOGUES = [
  { what: 'error', home: 'worker/model/errors.ts', codes: Object.keys(ERRORS) },
  { what: 'event', home: 'worker/model/event.ts', codes: Object.keys(EVENTS) },
  { what: 'reason', home: 'worker/model/verdict.ts', codes: Object.keys(REASONS) },
  { what: 'defect', home: 'worker/model/evidence.ts', codes: Object.keys(DEFECTS) },
];

for (const { what, home, codes } of CATALOGUES) {
  test(`every ${what} code of the catalogue is used`, () => {
    const code = SOURCES.filter(({ path }) => path !== home)
      .map(({ text }) => text)
      .join('\n');
    const unused = codes.filter((name) => !new RegExp(`['"\`]${name.replaceAll('.', '\\.')}['"\`]`).test(code));
    assert.deepEqual(unused, []);
  });
}
