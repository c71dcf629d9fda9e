import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createProgress } from '#cli/progress.ts';
import type { Digest } from '#model/digest.ts';

const PLATFORM = `sha256:${'1'.repeat(64)}` as Digest;

function said(gaps: readonly string[], quiet = false): string {
  const lines: string[] = [];
  const progress = createProgress({ stderr: (text) => void lines.push(text), interactive: false }, quiet);
  progress.step({ step: 'inventory', platform: PLATFORM, packages: 0, gaps });
  progress.end();
  return lines.join('');
}

it('says beside the number of packages what could not be read', () => {
  assert.equal(said([]), `found 0 packages in ${PLATFORM}\n`);
  assert.equal(said(['layer x is none']), `found 0 packages in ${PLATFORM}; incomplete: layer x is none\n`);
  assert.equal(
    said(['layer x is none', 'b', 'c']),
    `found 0 packages in ${PLATFORM}; incomplete: layer x is none (and 2 more)\n`,
  );
  assert.equal(said(['layer x is none'], true), '');
});
