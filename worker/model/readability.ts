import type { EvidenceLayout } from '#model/evidence.ts';
import type { SignerKind } from '#model/layout-choice.ts';
import {
  type Asked,
  FINDS_ELSEWHERE,
  PREFERS_BUNDLES,
  type Reading,
  readingOf,
  type Testimony,
} from '#model/reading-table.ts';
import { VERIFIER_TITLES, type Verifier } from '#model/verifier.ts';

/** How a piece of evidence will be signed and stored. */
export interface EvidencePlan {
  readonly asked: Asked;
  readonly layouts: readonly EvidenceLayout[];
  readonly kind: SignerKind;
  /** What the signer's witnesses give. */
  readonly testimonies: readonly Testimony[];
  /** It is stored in another repository than the image's. */
  readonly elsewhere: boolean;
}

/** What a verifier will make of it. */
export type Readability =
  | { readonly readable: true; readonly layout: EvidenceLayout; readonly how?: string }
  | { readonly readable: false; readonly why: string; readonly mend: string };

/**
 * What a verifier will make of evidence before any of it is written.
 * @param only the layout that the verifier is told to read, where it is told one.
 */
export function readability(verifier: Verifier, plan: EvidencePlan, only?: EvidenceLayout): Readability {
  const found = plan.layouts.filter((layout) => !plan.elsewhere || FINDS_ELSEWHERE[layout].includes(verifier));
  const offered = found.filter((layout) => only === undefined || layout === only);
  if (offered.length === 0) return notFound(verifier, plan, found, only);
  const first = PREFERS_BUNDLES.includes(verifier) && offered.includes('bundle') ? ['bundle' as const] : offered;
  const readings = first.map((layout) => ({
    layout,
    reading: heldTo(readingOf(verifier, layout, plan.kind, plan.asked), plan),
  }));
  const good = readings.find(({ reading }) => reading.reads);
  if (good?.reading.reads) {
    const { how } = good.reading;
    return { readable: true, layout: good.layout, ...(how === undefined ? {} : { how }) };
  }
  const bad = readings.flatMap(({ reading }) => (reading.reads ? [] : [reading]));
  // What the rule could mend by another witness tells more than that the other layout is never read.
  const telling = bad.at(-1);
  return { readable: false, why: telling?.why ?? '', mend: telling?.mend ?? '' };
}

/** A reading that needs a testimony which nobody gives is none. */
function heldTo(reading: Reading, { testimonies, kind }: EvidencePlan): Reading {
  const broken = reading.reads ? testimonies.find((testimony) => reading.breaks?.includes(testimony)) : undefined;
  if (broken !== undefined) {
    const why = `it cannot read what ${TESTIMONY_NAMES[broken]} witnessed`;
    return { reads: false, why, mend: 'write layout: cosign-tag or both, or choose another log' };
  }
  if (!reading.reads || !reading.needs) return reading;
  const { needs } = reading;
  if (needs.some((testimony) => testimonies.includes(testimony))) return reading;
  const wanted = needs.map((testimony) => TESTIMONY_NAMES[testimony]).join(' or ');
  const has = testimonies.length === 0 ? 'no witness' : testimonies.map((each) => TESTIMONY_NAMES[each]).join(' and ');
  const other = kind === 'keyless' ? '' : ', or write another layout';
  return {
    reads: false,
    why: `it needs ${wanted}, and the signer has ${has}`,
    mend: `give the signer ${wanted} as witness${other}`,
  };
}

export const TESTIMONY_NAMES: Readonly<Record<Testimony, string>> = {
  'rekor-v1': 'a Rekor v1 log',
  'rekor-v2': 'a Rekor v2 log',
  timestamp: 'a timestamp authority',
};

function notFound(
  verifier: Verifier,
  plan: EvidencePlan,
  found: readonly EvidenceLayout[],
  only: EvidenceLayout | undefined,
): Readability {
  if (only !== undefined && !plan.layouts.includes(only)) {
    const why = `it is told to read ${LAYOUT_NAMES[only]}, and none is written`;
    return { readable: false, why, mend: `write layout: ${only} or both` };
  }
  if (found.length > 0 || !plan.layouts.includes('bundle')) {
    const why = `${VERIFIER_TITLES[verifier]} looks into the image's own repository alone`;
    return { readable: false, why, mend: 'leave out repository' };
  }
  const why = "it looks for bundles in the image's own repository alone";
  return { readable: false, why, mend: 'leave out repository, or write layout: cosign-tag' };
}

const LAYOUT_NAMES: Readonly<Record<EvidenceLayout, string>> = {
  'cosign-tag': "cosign's tags",
  bundle: 'bundles',
};
