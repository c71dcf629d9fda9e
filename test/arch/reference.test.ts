import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GENERATED } from '../../scripts/generate-reference.ts';

const ROOT = join(import.meta.dirname, '..', '..');

for (const [path, make] of Object.entries(GENERATED)) {
  test(`${path} says what the sources say`, () => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const message = `${path} is out of date: npm run generate`;
    // How JSON is broken into lines is the formatter's.
    if (path.endsWith('.json')) assert.deepEqual(JSON.parse(text), JSON.parse(make()), message);
    else assert.equal(text, make(), message);
  });
}
