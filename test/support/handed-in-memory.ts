import { sha256Hex } from '#model/digest.ts';
import type { HandedIn, HandedInStore } from '#model/handed-in.ts';

/** What waits to be signed, in memory. */
export function createMemoryHandedIn(): HandedInStore {
  const kept = new Map<string, Map<string, HandedIn>>();
  return {
    async put(image, handedIn) {
      const id = sha256Hex(JSON.stringify(handedIn));
      kept.set(image, (kept.get(image) ?? new Map<string, HandedIn>()).set(id, handedIn));
      return id;
    },
    list: async (image) => [...(kept.get(image)?.keys() ?? [])],
    get: async (image, id) => kept.get(image)?.get(id),
    drop: async (image, id) => void kept.get(image)?.delete(id),
  };
}
