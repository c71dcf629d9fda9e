import { locationKey } from '#model/evidence.ts';
import type { EvidenceLock } from '#model/ports.ts';

/**
 * One writer per location among the many images that one run copies at once; what other processes write meanwhile is
 * found by comparing and reading back.
 */
export function createSerialLock(): EvidenceLock {
  const held = new Map<string, Promise<void>>();
  let fence = 0;
  return {
    acquire: async (location) => {
      const key = locationKey(location);
      for (let other = held.get(key); other; other = held.get(key)) await other;
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(key, promise);
      fence += 1;
      return {
        fence,
        signal: new AbortController().signal,
        check: async () => {},
        [Symbol.asyncDispose]: async () => {
          held.delete(key);
          resolve();
        },
      };
    },
  };
}
