import type { Decision } from '#engine/decision.ts';
import { hiddenNames } from '#engine/hiding.ts';
import { placeName } from '#engine/places.ts';
import type { Digest } from '#model/digest.ts';
import type { EvidenceLayout } from '#model/evidence.ts';
import type { EvidenceType } from '#model/rule.ts';

/** What became of one wish at one location, in one layout. */
export interface SettledEvidence {
  readonly type: EvidenceType;
  readonly predicateType: string;
  readonly layout: EvidenceLayout;
  /** `registry/repository:sha256-….att` or `.sig`; of a bundle `registry/repository@digest` of the image. */
  readonly location: string;
  /** The image or platform digest that the statement is about. */
  readonly subject: Digest;
  /** Digest of the layer: envelope, payload or bundle; absent when there is none. */
  readonly digest?: Digest;
  /** `refused`: missing, and the rule does not let it be signed now, or a first bundle would hide others. */
  readonly state: 'created' | 'present' | 'replaced' | 'restored' | 'copied' | 'refused';
  /** `registry/repository` that it was copied from. */
  readonly from?: string;
  /** Why it was refused because of what it would hide. */
  readonly hiding?: string;
  /** `registry/repository@digest` of layers at cosign's tags that it hides from the verifiers that prefer bundles, where the rule lets it. */
  readonly hides?: readonly string[];
  /** Referrers of ours that it replaced and that the registry does not delete. */
  readonly left?: readonly Digest[];
}

const STATES = { keep: 'present', refuse: 'refused' } as const;

/** @param kept superseded referrers that could not be deleted. */
export function settled(decision: Decision, kept: readonly Digest[] = []): SettledEvidence {
  const { slot, piece, hiding, hides } = decision;
  const { wish, location } = slot.placed;
  const left = decision.superseded.map(({ manifestDigest }) => manifestDigest).filter((each) => kept.includes(each));
  return {
    type: wish.type,
    predicateType: wish.predicateType,
    layout: slot.layout,
    location: placeName(location, slot.place),
    subject: location.digest,
    ...(piece === undefined ? {} : { digest: piece.digest }),
    state: stateOf(decision),
    ...(hiding === undefined ? {} : { hiding }),
    ...(hides ? { hides: hiddenNames(hides) } : {}),
    ...(left.length > 0 ? { left } : {}),
  };
}

function stateOf({ action, superseded, unconfirmed, slot }: Decision): SettledEvidence['state'] {
  if (unconfirmed || action === 'make') return superseded.length > 0 ? 'replaced' : 'created';
  switch (action) {
    case 'keep':
    case 'refuse':
      return STATES[action];
    case 'relist':
      return 'restored';
    case 'publish':
      // What was there once and is gone is given back; what never was is new.
      return slot.gone.some(({ pending }) => !pending) ? 'restored' : superseded.length > 0 ? 'replaced' : 'created';
  }
}
