import type { Draft } from '#config/draft.ts';
import type { Finding, Path } from '#config/problem.ts';
import { LISTS, type ListKey } from '#config/schema.ts';
import { memberOf } from '#config/schema-node.ts';
import { suggestion } from '#config/suggest.ts';

/** Ids are unique in their list. */
export function checkUniqueIds({ declared }: Draft): Finding[] {
  return (Object.keys(LISTS) as ListKey[]).flatMap((key) => {
    const first = new Map<string, Path>();
    return declared[key].flatMap(({ id, path }): Finding[] => {
      const earlier = first.get(id);
      if (!earlier) first.set(id, path);
      if (!earlier) return [];
      const message = `"${id}" is also the name of entry ${Number(earlier[1]) + 1} of ${key}`;
      return [{ severity: 'error', path, message, mend: 'give each entry its own name' }];
    });
  });
}

/** Where ids of other lists stand; `*` is any entry, and a list may be a single text instead. */
const REFERENCES: readonly { readonly at: readonly string[]; readonly list: ListKey }[] = [
  { at: ['signers', '*', 'witnesses'], list: 'witnesses' },
  { at: ['signers', '*', 'trust'], list: 'trusts' },
  { at: ['rules', '*', 'evidence', '*', 'signer'], list: 'signers' },
  { at: ['rules', '*', 'evidence', '*', 'trust'], list: 'trusts' },
  { at: ['rules', '*', 'evidence', '*', 'import', 'signer'], list: 'signers' },
  { at: ['rules', '*', 'evidence', '*', 'import', '*', 'signer'], list: 'signers' },
  { at: ['rules', '*', 'evidence', '*', 'import', 'trust'], list: 'trusts' },
  { at: ['rules', '*', 'evidence', '*', 'import', '*', 'trust'], list: 'trusts' },
  { at: ['rules', '*', 'when', 'builder', 'trust'], list: 'trusts' },
  { at: ['rules', '*', 'policies'], list: 'policies' },
  { at: ['sources', '*', 'registry'], list: 'registries' },
  { at: ['sources', '*', 'registries'], list: 'registries' },
];

/** Every reference names something that is configured. Reads the raw data: entries with other mistakes count too. */
export function checkReferences({ raw, declared }: Draft): Finding[] {
  return REFERENCES.flatMap(({ at, list }) => {
    const known = declared[list].map((entry) => entry.id);
    return textsAt(raw, at, []).flatMap(({ text, path }): Finding[] => {
      if (known.includes(text)) return [];
      const mend = known.length === 0 ? `add an entry to ${list}` : suggestion(text, known);
      return [{ severity: 'error', path, message: `"${text}" is not one of ${list}`, mend }];
    });
  });
}

function textsAt(value: unknown, at: readonly string[], path: Path): { text: string; path: Path }[] {
  const [part, ...rest] = at;
  if (part === undefined) {
    if (typeof value === 'string') return [{ text: value, path }];
    return Array.isArray(value) ? textsAt(value, ['*'], path) : [];
  }
  if (part !== '*') return textsAt(memberOf(value, part), rest, [...path, part]);
  return Array.isArray(value) ? value.flatMap((item, index) => textsAt(item, rest, [...path, index])) : [];
}
