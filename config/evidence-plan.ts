import type { Config } from '#config/schema.ts';
import type { EvidenceLayout } from '#model/evidence.ts';
import { defaultLayout, type LayoutChoice, layoutsOf, type SignerKind } from '#model/layout-choice.ts';
import type { EvidencePlan } from '#model/readability.ts';
import type { Testimony } from '#model/reading-table.ts';
import type { EvidenceRule } from '#model/rule.ts';

type Signer = Config['signers'][number];
type Witness = Config['witnesses'][number];

/** What verifiers make a difference of. */
export function signerKind(signer: Signer): SignerKind {
  if (signer.type === 'keyless') return 'keyless';
  return 'certificate' in signer && signer.certificate !== undefined ? 'x509' : 'key';
}

/** What the witnesses of a signer give; those that are not configured give nothing. */
export function testimoniesOf(signer: Signer, witnesses: readonly Witness[]): readonly Testimony[] {
  const found = signer.witnesses.flatMap((id) => witnesses.filter((witness) => witness.id === id)).map(testimonyOf);
  return [...new Set(found)];
}

function testimonyOf(witness: Witness): Testimony {
  switch (witness.type) {
    case 'rekor':
      return witness.version === 2 ? 'rekor-v2' : 'rekor-v1';
    case 'timestamp-authority':
      return 'timestamp';
  }
}

/** The layout that a rule gets: what it names, or the default of its signer. */
export function chosenLayout({ layout }: Pick<EvidenceRule, 'layout'>, signer: Signer): LayoutChoice {
  return layout ?? defaultLayout(signerKind(signer));
}

export function plannedLayouts(
  evidence: Pick<EvidenceRule, 'layout'>,
  signer: Signer | undefined,
): readonly EvidenceLayout[] {
  if (signer) return layoutsOf(chosenLayout(evidence, signer));
  return evidence.layout === undefined ? [] : layoutsOf(evidence.layout);
}

/** How evidence of a rule will be signed and stored, as far as verifiers care. */
export function evidencePlan(evidence: EvidenceRule, signer: Signer, witnesses: readonly Witness[]): EvidencePlan {
  return {
    asked: evidence.type === 'signature' ? 'image-signature' : 'attestation',
    layouts: plannedLayouts(evidence, signer),
    kind: signerKind(signer),
    testimonies: testimoniesOf(signer, witnesses),
    elsewhere: evidence.repository !== undefined,
  };
}
