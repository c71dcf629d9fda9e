import type { EvidenceLayout } from '#model/evidence.ts';

/** Where a rule wants its evidence: in one layout, or the same signed envelope in both. */
export const LAYOUT_CHOICES = ['cosign-tag', 'bundle', 'both'] as const;
export type LayoutChoice = (typeof LAYOUT_CHOICES)[number];

/** What verifiers make a difference of: a private CA's certificate, a plain key, or a certificate for an identity. */
export const SIGNER_KINDS = ['x509', 'key', 'keyless'] as const;
export type SignerKind = (typeof SIGNER_KINDS)[number];

/**
 * The layout of evidence whose rule names none (interop 0.2). A private CA's evidence is read by most verifiers from
 * cosign's tag alone, and one bundle beside it would hide it from those; the others are read best where both are.
 */
export function defaultLayout(kind: SignerKind): LayoutChoice {
  return kind === 'x509' ? 'cosign-tag' : 'both';
}

/** The layouts that a choice stands for; cosign's tag first, since it is written first. */
export function layoutsOf(choice: LayoutChoice): readonly EvidenceLayout[] {
  return choice === 'both' ? ['cosign-tag', 'bundle'] : [choice];
}
