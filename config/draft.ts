import type * as z from 'zod';
import { findingsOf } from '#config/issues.ts';
import type { Finding, Path } from '#config/problem.ts';
import { Config, LISTS, type ListKey } from '#config/schema.ts';
import { memberOf, type SchemaNode } from '#config/schema-node.ts';

/** One well-formed entry of a list, and where it stands. */
export interface Entry<K extends ListKey> {
  readonly path: Path;
  readonly value: z.output<(typeof LISTS)[K]>;
}

/** The well-formed entries of each list. */
export type Entries = { readonly [K in ListKey]: readonly Entry<K>[] };

/**
 * A configuration that may be broken in places: the entries that are well-formed, and every id that is written, so
 * that one mistake does not hide the others, and does not make references to the broken entry look wrong too.
 */
export interface Draft {
  /** As written, paths made absolute. */
  readonly raw: unknown;
  readonly entries: Entries;
  /** Ids as written, with their places, broken entries included. */
  readonly declared: Readonly<Record<ListKey, readonly { readonly id: string; readonly path: Path }[]>>;
  /** Present when nothing breaks the schema. */
  readonly config?: Config;
  readonly findings: readonly Finding[];
}

export function draftOf(raw: unknown, schema: SchemaNode): Draft {
  const parsed = Config.safeParse(raw);
  const keys = Object.keys(LISTS) as ListKey[];
  return {
    raw,
    entries: entriesBy((key) => entriesOf(key, raw)),
    declared: Object.fromEntries(keys.map((key) => [key, declaredIn(key, raw)])) as unknown as Draft['declared'],
    ...(parsed.success ? { config: parsed.data } : {}),
    findings: parsed.success ? [] : findingsOf(parsed.error.issues, raw, schema),
  };
}

/** The entries of a configuration that is whole. */
export function entriesOfConfig(config: Config): Entries {
  return entriesBy((key) => config[key].map((value, index) => ({ path: [key, index], value })));
}

/** Leaves out the entries that stand at one of the paths, or hold it. */
export function withoutEntriesAt(entries: Entries, paths: readonly Path[]): Entries {
  const isThere = ({ path: [key, index] }: Entry<ListKey>) =>
    paths.some((path) => path[0] === key && path[1] === index);
  return entriesBy((key) => entries[key].filter((entry) => !isThere(entry)));
}

function entriesBy(of: (key: ListKey) => readonly Entry<ListKey>[]): Entries {
  const keys = Object.keys(LISTS) as ListKey[];
  return Object.fromEntries(keys.map((key) => [key, of(key)])) as unknown as Entries;
}

function entriesOf<K extends ListKey>(key: K, raw: unknown): Entry<K>[] {
  const list = memberOf(raw, key);
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index) => {
    const parsed = LISTS[key].safeParse(item);
    return parsed.success ? [{ path: [key, index], value: parsed.data as Entry<K>['value'] }] : [];
  });
}

function declaredIn(key: ListKey, raw: unknown): { id: string; path: Path }[] {
  const list = memberOf(raw, key);
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index) => {
    const id =
      memberOf(item, key === 'rules' ? 'name' : 'id') ?? (key === 'registries' ? memberOf(item, 'name') : undefined);
    return typeof id === 'string' ? [{ id, path: [key, index] }] : [];
  });
}
