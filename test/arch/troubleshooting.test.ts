import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ERRORS } from '#model/errors.ts';
import { DEFECTS } from '#model/evidence.ts';
import { REASONS } from '#model/verdict.ts';
import { ROOT } from './source-files.ts';

const PAGE = readFileSync(join(ROOT, 'docs/operate/troubleshooting.md'), 'utf8');

/** The codes of the first column of the table below a heading. */
function codesBelow(heading: string): readonly string[] {
  const [, section = ''] = PAGE.split(`## ${heading}\n`);
  const rows = (section.split(/^## /m)[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
  return rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([a-z-]+)`/g)].map(([, code = '']) => code));
}

for (const [heading, catalogue] of [
  ['Errors', ERRORS],
  ['Reasons', REASONS],
  ['Defects of evidence', DEFECTS],
] as const) {
  test(`troubleshooting says what to do about every code: ${heading}`, () => {
    const told = codesBelow(heading);
    const missing = Object.keys(catalogue).filter((code) => !told.includes(code));
    assert.deepEqual(missing, [], 'add a row to docs/operate/troubleshooting.md');
  });
}
