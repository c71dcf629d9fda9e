import type { Outbound } from '#compose/outbound.ts';
import type { RevocationFetcher } from '#engine/revocation.ts';
import { AppError } from '#model/errors.ts';
import type { TrustOptions } from '#trust/options.ts';
import { createRevocationLists, type RevocationLists } from '#trust/revocation-lists.ts';
import { createRevocationReader } from '#trust/revocation-reader.ts';
import { createRevocationRule } from '#trust/revocation-rule.ts';
import type { RevocationRule } from '#verification/attestor.ts';

export interface RevocationParts {
  readonly outbound: Outbound;
  readonly env: Readonly<Record<string, string | undefined>>;
  readFile(path: string): Promise<Buffer>;
  now(): Date;
  /** See `RevocationListsOptions.onAsked`. */
  readonly onAsked?: ((trust: string, source: string, serial: string) => void) | undefined;
}

/** The rules of the trusts that ask whether certificates were revoked, and the lists behind them. */
export interface Revocation extends RevocationFetcher {
  /** By the id of the trust. */
  readonly rules: ReadonlyMap<string, RevocationRule>;
  readonly lists: ReadonlyMap<string, RevocationLists>;
}

/**
 * @throws AppError `config-invalid` naming the list when one that is configured on this machine cannot be read. Lists at
 * addresses are fetched when they are first asked for: a server that is away must not keep a process from starting.
 */
export async function createRevocation(trusts: readonly TrustOptions[], parts: RevocationParts): Promise<Revocation> {
  const rules = new Map<string, RevocationRule>();
  const lists = new Map<string, RevocationLists>();
  for (const { id, revocation } of trusts) {
    if (!revocation) continue;
    const { onAsked } = parts;
    const told = onAsked && ((source: string, serial: string) => onAsked(id, source, serial));
    const held = await openLists(revocation, parts, (at) => `trusts.${id}.revocation.lists[${at}]`, told);
    lists.set(id, held);
    rules.set(id, createRevocationRule(revocation, held));
  }
  return {
    rules,
    lists,
    async fetchWanted(signal) {
      const waited = await Promise.all([...lists.values()].map((each) => each.fetchWanted(signal)));
      return waited.includes(true);
    },
    renew(readBefore) {
      for (const each of lists.values()) each.renew(readBefore);
    },
  };
}

/** @param field names the setting of a list in messages */
export async function openLists(
  { lists, hosts }: { readonly lists: readonly string[]; readonly hosts: readonly string[] },
  { outbound, env, readFile, now }: Omit<RevocationParts, 'onAsked'>,
  field: (at: number) => string,
  onAsked?: (source: string, serial: string) => void,
): Promise<RevocationLists> {
  const named = lists.flatMap((source) => (isAddress(source) ? [new URL(source).host] : []));
  const client = await outbound.client({ hosts: [...hosts, ...named] });
  const held = createRevocationLists(createRevocationReader({ client, readFile, env }), { now, onAsked });
  for (const [at, source] of lists.entries()) {
    if (isAddress(source)) continue;
    const { problem } = await held.refresh(source);
    if (problem === undefined) continue;
    throw new AppError('config-invalid', `${source}: ${problem}`, { field: field(at) });
  }
  return held;
}

function isAddress(source: string): boolean {
  return /^https?:/.test(source);
}
