import { AppError } from '#model/errors.ts';
import type { EvidenceLayout } from '#model/evidence.ts';
import { defaultLayout, LAYOUT_CHOICES, layoutsOf, type SignerKind } from '#model/layout-choice.ts';

export const LAYOUT_OPTIONS = { layout: { type: 'string' }, hiding: { type: 'string' } } as const;

export interface LayoutFlags {
  readonly layout?: string | undefined;
  readonly hiding?: string | undefined;
}

/** Where evidence of the command line is stored: as asked, else as a rule would without a word. @throws AppError `usage`. */
export function layoutWish(
  { layout, hiding }: LayoutFlags,
  kind: SignerKind,
): { readonly layouts: readonly EvidenceLayout[]; readonly hiding: 'refuse' | 'warn' } {
  const choice = layout === undefined ? defaultLayout(kind) : LAYOUT_CHOICES.find((each) => each === layout);
  if (choice === undefined) throw unknown('--layout', layout, LAYOUT_CHOICES);
  if (hiding !== undefined && hiding !== 'refuse' && hiding !== 'warn') {
    throw unknown('--hiding', hiding, ['refuse', 'warn']);
  }
  return { layouts: layoutsOf(choice), hiding: hiding ?? 'refuse' };
}

function unknown(flag: string, found: string | undefined, known: readonly string[]): AppError {
  return new AppError('usage', `${flag} ${found} is not known`, { mend: `write ${known.join(', ')}` });
}
