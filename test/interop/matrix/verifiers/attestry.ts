import { PLACES, readPlaces } from '#engine/places.ts';
import type { Evidence, EvidenceLayout } from '#model/evidence.ts';
import { parseImageRef } from '#model/image-ref.ts';
import { COSIGN_SIGN, CYCLONEDX } from '#model/media-types.ts';
import type { Asked } from '#model/reading-table.ts';
import type { Attestor } from '#verification/attestor.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { connect } from '../../../support/registry-target.ts';
import type { Cell, Judgement, Trust } from '../cell.ts';
import { strictAttestor } from './attestry-trust.ts';

/** Our own strict reading. It must find the evidence in every layout of the cell: what hides it from others does not here. */
export async function askAttestry(cell: Cell, trust: Trust): Promise<Judgement> {
  const attestor = await strictAttestor(cell.kind, cell.testimonies, trust);
  const found = await judgeAll(cell.reference, attestor);
  const good = found.filter((evidence) => evidence.held === true && isAsked(evidence, cell.asked));
  const accepted = cell.layouts.every((layout) => good.some(({ raw }) => raw.layout === layout));
  const said = found.map(
    ({ raw, held }) => `${raw.layout} ${held === true ? 'holds' : `${held.code}: ${held.message}`}`,
  );
  return { accepted, said: said.join('\n') || 'no evidence is there' };
}

/** Everything that stands beside an image, judged under one attestor. */
export async function judgeAll(reference: string, attestor: Attestor): Promise<readonly Evidence[]> {
  const { registry, repository, tag = 'latest', digest: given } = parseImageRef(reference);
  await using target = connect(new URL(`http://${registry}/`));
  const { digest } = await target.resolve(repository, given ?? tag);
  const content = await readPlaces(target, { registry, repository, digest }, new Set(PLACES));
  const all = PLACES.flatMap((place) => content[place]?.evidence ?? []);
  return all.map((raw) => verifyEvidence(raw, { digest, attestor, now: new Date() }));
}

function isAsked({ raw, statement }: Evidence, asked: Asked): boolean {
  if (asked === 'attestation') return statement?.predicateType === CYCLONEDX;
  return raw.kind === 'image-signature' || statement?.predicateType === COSIGN_SIGN;
}

/** Which layouts hold something of a kind. */
export function heldLayouts(found: readonly Evidence[], asked: Asked): readonly EvidenceLayout[] {
  return [...new Set(found.filter((each) => each.held === true && isAsked(each, asked)).map(({ raw }) => raw.layout))];
}
