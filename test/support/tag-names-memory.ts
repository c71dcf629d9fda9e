import type { TagName, TagNames } from '#model/removal.ts';

/** What tags name, in memory. */
export function createMemoryTagNames(): TagNames {
  const names = new Map<string, TagName>();
  return {
    async note(repository, tag, name) {
      const before = names.get(`${repository}:${tag}`);
      const isOlder = before?.digest === name.digest && before.at > name.at;
      if (!isOlder) names.set(`${repository}:${tag}`, name);
    },
    named: async (repository, tag) => names.get(`${repository}:${tag}`),
    async drop(repository, tag, digest) {
      if (names.get(`${repository}:${tag}`)?.digest === digest) names.delete(`${repository}:${tag}`);
    },
  };
}
