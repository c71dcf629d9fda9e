import { LAYOUT_CHOICES } from '#model/layout-choice.ts';
import type { Verifier } from '#model/verifier.ts';
import { ASKED, JUDGES } from './plan.ts';
import type { RecordedRow } from './record.ts';
import { REGISTRY_KINDS } from './registry-kinds.ts';
import { SIGNER_NAMES } from './signer-names.ts';

/** What a verifier says of one signer and layout: the same in every registry, or by registry. */
export function inAllRegistries(rows: readonly RecordedRow[], verifier: Verifier): string {
  const good = rows.filter(({ accepted }) => accepted.includes(verifier)).map(({ registry }) => registry);
  if (good.length === 0) return 'no';
  return good.length === REGISTRY_KINDS.length ? 'yes' : good.join(', ');
}

/** The lines of the matrix without their registry, in its order. */
export function matrixLines(rows: readonly RecordedRow[]) {
  return ASKED.flatMap((asked) =>
    SIGNER_NAMES.flatMap((signer) =>
      LAYOUT_CHOICES.map((layout) => {
        const here = rows.filter((row) => row.asked === asked && row.signer === signer && row.layout === layout);
        return { asked, signer, layout, says: JUDGES.map((verifier) => inAllRegistries(here, verifier)) };
      }),
    ),
  );
}

/** The matrix as text of columns. */
export function matrixText(rows: readonly RecordedRow[]): string {
  const header = ['evidence', 'signer', 'layout', ...JUDGES];
  const lines = matrixLines(rows).map(({ asked, signer, layout, says }) => [asked, signer, layout, ...says]);
  const widths = header.map((name, at) => Math.max(name.length, ...lines.map((line) => line[at]?.length ?? 0)));
  return [header, ...lines]
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
