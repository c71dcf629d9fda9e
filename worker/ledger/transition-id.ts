import { sha256Hex } from '#model/digest.ts';
import type { Transition } from '#model/ledger.ts';

/**
 * The id of the event that tells of a transition. Nothing in it depends on when or by whom it is told, so a relay that
 * tells it twice tells it under one id.
 */
export function transitionId(transition: Pick<Transition, 'image' | 'policyUri' | 'sequence'>): string {
  return sha256Hex([transition.image, transition.policyUri, `${transition.sequence}`].join('\n'));
}
