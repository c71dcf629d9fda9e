import assert from 'node:assert/strict';
import test from 'node:test';
import { MATRIX_TOOLS } from '../../scripts/setup/go-tools.mjs';
import { allRows, JUDGES, tableSays } from '../interop/matrix/plan.ts';
import { readRecord, rowName } from '../interop/matrix/record.ts';

const { rows, tools } = readRecord();

test('the recorded matrix has every line, judged by every verifier', () => {
  assert.deepEqual(rows.map(rowName), allRows().map(rowName));
  for (const row of rows) {
    assert.deepEqual([...row.accepted, ...row.refused].sort(), JUDGES.toSorted(), rowName(row));
  }
});

test('what the configuration is checked by is what the real verifiers said', () => {
  for (const row of rows) {
    const believed = JUDGES.filter((verifier) => tableSays(verifier, row));
    assert.deepEqual(row.accepted, believed, rowName(row));
  }
});

test('it was recorded with the versions that the suite builds', () => {
  assert.deepEqual(tools, Object.fromEntries(MATRIX_TOOLS.map(({ id, version }) => [id, version])));
});
