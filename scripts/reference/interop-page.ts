import type { EvidenceLayout } from '#model/evidence.ts';
import { SIGNER_KINDS } from '#model/layout-choice.ts';
import { TESTIMONY_NAMES } from '#model/readability.ts';
import { type Asked, type Reading, readingOf, type Testimony } from '#model/reading-table.ts';
import { VERIFIER_TITLES } from '#model/verifier.ts';
import { ASKED, JUDGES } from '../../test/interop/matrix/plan.ts';
import { matrixLines } from '../../test/interop/matrix/print.ts';
import { type MatrixRecord, readRecord } from '../../test/interop/matrix/record.ts';
import { code, page, table } from './markdown.ts';

const LAYOUTS: readonly EvidenceLayout[] = ['cosign-tag', 'bundle'];

const TITLES: Readonly<Record<Asked, string>> = {
  attestation: 'Attestations',
  'image-signature': 'Signatures of images',
};

/** docs/reference/interop-matrix.md, from what the interop suite recorded. */
export function interopPage(): string {
  const record = readRecord();
  const versions = Object.entries(record.tools).map(([tool, version]) => [code(tool), version]);
  return page(
    'Who reads what',
    'What each verifier says of evidence that we attached: run with the real tools against a private Sigstore and three kinds of registry (CNCF Distribution 2 and 3, which keep referrers at a fallback tag, and one with the referrers API), and recorded. `npm run interop` runs all of it again and fails when one answer differs. *yes*: accepted in every registry; *no*: refused in every registry. The same table refuses at configuration time what the chosen verifiers could not read.',
    ...ASKED.map((asked) => `## ${TITLES[asked]}\n\n${verdicts(record, asked)}`),
    `## How each is told\n\n${table(['verifier', 'layout', 'signer', 'evidence', 'what it needs and must be told'], hows())}`,
    `## Why one does not read it\n\n${table(['verifier', 'layout', 'signer', 'evidence', 'why not', 'instead'], whyNots())}`,
    `## What was run\n\n${table(['tool', 'version'], versions)}`,
  );
}

function verdicts({ rows }: MatrixRecord, asked: Asked): string {
  const lines = matrixLines(rows).filter((line) => line.asked === asked);
  const head = ['signer', 'layout', ...JUDGES.map((verifier) => VERIFIER_TITLES[verifier])];
  return table(
    head,
    lines.map(({ signer, layout, says }) => [signer, code(layout), ...says]),
  );
}

function readings() {
  return JUDGES.flatMap((verifier) =>
    LAYOUTS.flatMap((layout) =>
      SIGNER_KINDS.flatMap((kind) =>
        ASKED.map((asked) => ({ verifier, layout, kind, asked, reading: readingOf(verifier, layout, kind, asked) })),
      ),
    ),
  );
}

function hows(): readonly (readonly string[])[] {
  return withoutRepeats(
    readings().flatMap(({ verifier, layout, kind, asked, reading }) => {
      const other = readingOf(verifier, layout, kind, asked === 'attestation' ? 'image-signature' : 'attestation');
      const told = toldOf(reading);
      const what = told === toldOf(other) ? 'any' : TITLES[asked].toLowerCase();
      return told === '' ? [] : [[VERIFIER_TITLES[verifier], code(layout), kind, what, told] as const];
    }),
  );
}

/** What must be there and what must be said; empty for a plain use, and for what is not read at all. */
function toldOf(reading: Reading): string {
  if (!reading.reads) return '';
  const names = (list: readonly Testimony[] = []) => list.map((testimony) => TESTIMONY_NAMES[testimony]).join(' or ');
  return [
    ...(reading.needs ? [`needs ${names(reading.needs)}`] : []),
    ...(reading.breaks ? [`must not have ${names(reading.breaks)}`] : []),
    ...(reading.how === undefined ? [] : [reading.how]),
  ].join('; ');
}

function whyNots(): readonly (readonly string[])[] {
  return withoutRepeats(
    readings().flatMap(({ verifier, layout, kind, asked, reading }) => {
      const other = readingOf(verifier, layout, kind, asked === 'attestation' ? 'image-signature' : 'attestation');
      const both = sameRefusal(reading, other);
      const what = both ? 'any' : TITLES[asked].toLowerCase();
      return reading.reads
        ? []
        : [[VERIFIER_TITLES[verifier], code(layout), kind, what, reading.why, reading.mend] as const];
    }),
  );
}

function sameRefusal(one: Reading, other: Reading): boolean {
  return !one.reads && !other.reads && one.why === other.why;
}

function withoutRepeats(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return [...new Map(rows.map((row) => [JSON.stringify(row), row])).values()];
}
