/** Why something was not signed: the closed catalogue, label of the metric and member of the event. */
export const SIGNING_REFUSALS = {
  rule: 'No rule speaks of the image.',
  source: 'The push came from another source than `when.source` allows.',
  actor: 'It was somebody else than `when.actor` allows, or nobody whose name is believed.',
  tag: 'It named another tag than `when.tag` allows, or none.',
  builder: 'The image does not carry the verified provenance that `when.builder` asks for.',
  type: 'The rule lets nothing of this type be handed in.',
  signer: 'The rule lets another signer sign this type.',
  statement: 'The statement is malformed, of another type, or about another image.',
  hiding: 'A first bundle would hide evidence of others at cosign tags from verifiers that prefer bundles.',
  import: 'Provenance was found to be taken over, and does not hold.',
} as const;

export type SigningRefusalReason = keyof typeof SIGNING_REFUSALS;

export interface SigningRefusal {
  readonly reason: SigningRefusalReason;
  /** In words, with what was wanted and found. */
  readonly why: string;
}
