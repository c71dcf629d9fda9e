import { type EvidenceLocation, locationKey } from '#model/evidence.ts';
import type { EvidencePush, EvidencePushes } from '#model/ports.ts';

/** The latest pushes to tags that list evidence, in memory. */
export function createMemoryEvidencePushes(): EvidencePushes {
  const kept = new Map<string, EvidencePush[]>();
  const of = (location: EvidenceLocation, tag: string) => {
    const key = `${locationKey(location)} ${tag}`;
    const pushes = kept.get(key) ?? [];
    kept.set(key, pushes);
    return pushes;
  };
  return {
    async note(location, tag, push) {
      const pushes = of(location, tag);
      const before = pushes.at(-1);
      pushes.push(push);
      return before;
    },
    list: async (location, tag) => [...of(location, tag)],
    async drop(location, tag, dropped) {
      const pushes = of(location, tag);
      const ids = new Set(dropped.map(({ id }) => id));
      pushes.splice(0, pushes.length, ...pushes.filter(({ id }) => !ids.has(id)));
    },
  };
}
