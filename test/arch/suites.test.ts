import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { LONG_SUITES, SUITES, suiteFiles, TEST_SUITES } from '../../scripts/testing/suites.mjs';
import { MANIFEST, ROOT } from './source-files.ts';

test('every test file is in a suite that .ci/run runs', () => {
  const run = [...TEST_SUITES, ...LONG_SUITES];
  assert.deepEqual(run.toSorted(), Object.keys(SUITES).sort(), 'a suite that nobody runs judges nothing');
  const inSuites = new Set(run.flatMap((name) => suiteFiles(ROOT, name)));
  const all = readdirSync(join(ROOT, 'test'), { recursive: true })
    .map((path) => join('test', String(path)))
    .filter((path) => path.endsWith('.test.ts'));
  assert.deepEqual(
    all.filter((path) => !inSuites.has(path)),
    [],
  );
});

test('every suite can be run by its name', () => {
  for (const name of Object.keys(SUITES)) {
    assert.equal(MANIFEST.scripts[`test:${name}`], `node scripts/suite.mjs ${name}`);
  }
});
