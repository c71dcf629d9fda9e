import type { KeptBounds, KeptDeliveries, KeptDelivery } from '#model/kept-delivery.ts';

/** Kept deliveries in memory, with the bounds that they were to be kept within. */
export interface KeptMemory {
  readonly store: KeptDeliveries;
  readonly kept: { readonly delivery: KeptDelivery; readonly bounds: KeptBounds }[];
}

export function createKeptMemory(): KeptMemory {
  const kept: KeptMemory['kept'] = [];
  return {
    kept,
    store: {
      async keep(delivery, bounds) {
        kept.push({ delivery, bounds });
      },
      get: async (id) => kept.find(({ delivery }) => delivery.id === id)?.delivery,
      list: async ({ limit }) =>
        kept
          .map(({ delivery }) => delivery)
          .reverse()
          .slice(0, limit),
    },
  };
}
