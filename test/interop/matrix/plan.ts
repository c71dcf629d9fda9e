import { LAYOUT_CHOICES, type LayoutChoice, layoutsOf } from '#model/layout-choice.ts';
import { readability } from '#model/readability.ts';
import type { Asked } from '#model/reading-table.ts';
import { VERIFIERS, type Verifier } from '#model/verifier.ts';
import { REGISTRY_KINDS, type RegistryKind } from './registry-kinds.ts';
import { SIGNER_NAMES, SIGNERS, type SignerName } from './signer-names.ts';

/** One line of the matrix: evidence of a kind, by a signer, in a layout, in a registry. */
export interface Row {
  readonly asked: Asked;
  readonly signer: SignerName;
  readonly layout: LayoutChoice;
  readonly registry: RegistryKind;
}

/** Who judges: the tools of others, and our own strict reading. */
export const JUDGES: readonly Verifier[] = VERIFIERS;

export const ASKED: readonly Asked[] = ['attestation', 'image-signature'];

/** Every line, in the order in which the matrix is printed. */
export function allRows(): readonly Row[] {
  return REGISTRY_KINDS.flatMap((registry) =>
    ASKED.flatMap((asked) =>
      SIGNER_NAMES.flatMap((signer) => LAYOUT_CHOICES.map((layout) => ({ asked, signer, layout, registry }))),
    ),
  );
}

/** Whether the product's own table says that this verifier reads such evidence. */
export function tableSays(verifier: Verifier, { asked, signer, layout }: Omit<Row, 'registry'>): boolean {
  const plan = { asked, ...SIGNERS[signer], layouts: layoutsOf(layout), elsewhere: false };
  // It has to be told: it reads one layout alone.
  const told = layout === 'bundle' ? 'bundle' : 'cosign-tag';
  return readability(verifier, plan, verifier === 'policy-controller' ? told : undefined).readable;
}
