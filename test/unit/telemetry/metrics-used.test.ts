import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { METRICS } from '#telemetry/metric-table.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

test('every metric of the table is set by somebody: one that stays empty looks like nothing happens', async () => {
  const texts: string[] = [];
  for (const room of ['worker', 'producer']) {
    for (const file of await readdir(join(ROOT, room), { recursive: true })) {
      if (!file.endsWith('.ts') || file.endsWith('metric-table.ts')) continue;
      texts.push(await readFile(join(ROOT, room, file), 'utf8'));
    }
  }
  const all = texts.join('\n');
  assert.deepEqual(
    Object.keys(METRICS).filter((name) => !all.includes(`'${name}'`)),
    [],
  );
});
