import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Verifier } from '#model/verifier.ts';
import { CLONE } from '../../support/cli.ts';
import type { Row } from './plan.ts';

/** What was seen: the documentation is made of it, and every run must see the same. */
export const RECORD = join(CLONE, 'test', 'fixtures', 'interop', 'matrix.json');

export interface RecordedRow extends Row {
  /** Verifiers that accepted, and those that refused. */
  readonly accepted: readonly Verifier[];
  readonly refused: readonly Verifier[];
}

export interface MatrixRecord {
  /** Versions of the tools that were run. */
  readonly tools: Readonly<Record<string, string>>;
  readonly rows: readonly RecordedRow[];
}

/** Whether this run writes the record instead of being held to it. */
export const RECORDING = process.env.ATTESTRY_TEST_RECORD === '1';

export function readRecord(): MatrixRecord {
  return JSON.parse(readFileSync(RECORD, 'utf8'));
}

export async function writeRecord({ tools, rows }: MatrixRecord): Promise<void> {
  await mkdir(dirname(RECORD), { recursive: true });
  // One row a line: a change of the record is a change of lines.
  const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
  await writeFile(RECORD, `{\n  "tools": ${JSON.stringify(tools)},\n  "rows": [\n${lines}\n  ]\n}\n`);
}

/** What tells a row from all others. */
export function rowName({ asked, signer, layout, registry }: Row): string {
  return `${asked} by ${signer} as ${layout} in ${registry}`;
}
