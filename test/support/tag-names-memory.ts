import type { Digest } from '#model/digest.ts';
import type { TagNames } from '#model/removal.ts';

/** What tags name, in memory. */
export function createMemoryTagNames(): TagNames {
  const names = new Map<string, Digest>();
  return {
    async note(repository, tag, digest) {
      const before = names.get(`${repository}:${tag}`);
      names.set(`${repository}:${tag}`, digest);
      return before;
    },
    named: async (repository, tag) => names.get(`${repository}:${tag}`),
    async drop(repository, tag, digest) {
      if (names.get(`${repository}:${tag}`) === digest) names.delete(`${repository}:${tag}`);
    },
  };
}
