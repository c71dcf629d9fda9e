import { layoutsOfWish } from '#engine/engine-ports.ts';
import { type Place, placeFor } from '#engine/places.ts';
import type { PlacedWish } from '#engine/wish-location.ts';
import type { EvidenceLayout } from '#model/evidence.ts';

/** One wish in one layout. */
export interface Slot {
  readonly placed: PlacedWish;
  readonly layout: EvidenceLayout;
  readonly place: Place;
}

export function slotsOf(placed: PlacedWish): readonly Slot[] {
  const { wish } = placed;
  return layoutsOfWish(wish).map((layout) => ({ placed, layout, place: placeFor(wish.type, layout) }));
}
