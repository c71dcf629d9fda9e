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

/**
 * A configuration that may be broken in places: the entries that are well-formed, and every id that is written, so
 * that one mistake does not hide the others, and does not make references to the broken entry look wrong too.
 */
export interface Draft {
  /** As written, paths made absolute. */
  readonly raw: unknown;
  readonly entries: { readonly [K in ListKey]: readonly Entry<K>[] };
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
    entries: {
      registries: entriesOf('registries', raw),
      witnesses: entriesOf('witnesses', raw),
      signers: entriesOf('signers', raw),
      trusts: entriesOf('trusts', raw),
      policies: entriesOf('policies', raw),
      rules: entriesOf('rules', raw),
      sources: entriesOf('sources', raw),
      sinks: entriesOf('sinks', raw),
    },
    declared: Object.fromEntries(keys.map((key) => [key, declaredIn(key, raw)])) as unknown as Draft['declared'],
    ...(parsed.success ? { config: parsed.data } : {}),
    findings: parsed.success ? [] : findingsOf(parsed.error.issues, raw, schema),
  };
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
