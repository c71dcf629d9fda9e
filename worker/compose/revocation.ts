import { ocspSource } from '#compose/ocsp-source.ts';
import type { Outbound } from '#compose/outbound.ts';
import type { RevocationFetcher } from '#engine/revocation.ts';
import { AppError } from '#model/errors.ts';
import { createOcspAnswers, type OcspAnswers, type OcspQuestion } from '#trust/ocsp-answers.ts';
import { createOcspClient } from '#trust/ocsp-client.ts';
import type { TrustOptions } from '#trust/options.ts';
import { createRevocationLists, type RevocationLists } from '#trust/revocation-lists.ts';
import { createRevocationReader } from '#trust/revocation-reader.ts';
import { createRevocationRule, type RevocationSettings } from '#trust/revocation-rule.ts';
import type { RevocationRule } from '#verification/attestor.ts';

export interface RevocationParts {
  readonly outbound: Outbound;
  readonly env: Readonly<Record<string, string | undefined>>;
  readFile(path: string): Promise<Buffer>;
  now(): Date;
  randomBytes(count: number): Uint8Array;
  /** See `RevocationListsOptions.onAsked`. */
  readonly onAsked?: ((trust: string, source: string, serial: string) => void) | undefined;
}

/** How to ask, and whom. */
export interface AskedSettings extends RevocationSettings {
  /** Hosts that certificates may name: of their lists and responders. */
  readonly hosts: readonly string[];
}

/** What is known of the certificates of one trust. */
export interface OpenedRevocation extends RevocationFetcher {
  readonly rule: RevocationRule;
  readonly lists: RevocationLists;
  /** Absent: no responder is asked. */
  readonly answers?: OcspAnswers;
}

/** The trusts that ask whether certificates were revoked. */
export interface Revocation extends RevocationFetcher {
  /** By the id of the trust, as are the others. */
  readonly rules: ReadonlyMap<string, RevocationRule>;
  readonly lists: ReadonlyMap<string, RevocationLists>;
  /** Of the trusts that ask responders. */
  readonly answers: ReadonlyMap<string, OcspAnswers>;
}

/**
 * @throws AppError `config-invalid` naming the list when one that is configured on this machine cannot be read. Lists at
 * addresses are fetched when they are first asked for: a server that is away must not keep a process from starting.
 */
export async function createRevocation(trusts: readonly TrustOptions[], parts: RevocationParts): Promise<Revocation> {
  const opened = new Map<string, OpenedRevocation>();
  for (const { id, revocation } of trusts) {
    if (!revocation) continue;
    const { onAsked } = parts;
    const told = onAsked && ((source: string, serial: string) => onAsked(id, source, serial));
    opened.set(id, await openRevocation(revocation, parts, (at) => `trusts.${id}.revocation.lists[${at}]`, told));
  }
  const all = [...opened.values()];
  return {
    rules: new Map([...opened].map(([id, { rule }]) => [id, rule])),
    lists: new Map([...opened].map(([id, { lists }]) => [id, lists])),
    answers: new Map([...opened].flatMap(([id, { answers }]) => (answers ? [[id, answers]] : []))),
    async fetchWanted(signal) {
      const waited = await Promise.all(all.map((each) => each.fetchWanted(signal)));
      return waited.includes(true);
    },
    renew(readBefore) {
      for (const each of all) each.renew(readBefore);
    },
  };
}

/** @param field names the setting of a list in messages */
export async function openRevocation(
  settings: AskedSettings,
  { outbound, env, readFile, now, randomBytes }: Omit<RevocationParts, 'onAsked'>,
  field: (at: number) => string,
  onAsked?: (source: string, serial: string) => void,
): Promise<OpenedRevocation> {
  const { ocsp } = settings;
  const client = await outbound.client({ hosts: hostsOf(settings) });
  const lists = createRevocationLists(createRevocationReader({ client, readFile, env }), { now, onAsked });
  await refuseUnreadable(settings.lists, lists, field);
  const options = {
    now,
    makeNonce: ocsp?.nonce ? randomBytes : undefined,
    onAsked: onAsked && ((question: OcspQuestion) => onAsked(ocspSource(question), question.serialNumber)),
  };
  const answers = ocsp && createOcspAnswers(createOcspClient(client), options);
  return {
    rule: createRevocationRule(settings, { lists, answers }),
    lists,
    ...(answers ? { answers } : {}),
    async fetchWanted(signal) {
      const waited = await Promise.all([lists.fetchWanted(signal), answers?.fetchWanted(signal)]);
      return waited.includes(true);
    },
    renew(readBefore) {
      lists.renew(readBefore);
      answers?.renew(readBefore);
    },
  };
}

/** Those that are allowed by name, and those of the addresses that are configured. */
function hostsOf({ hosts, lists, ocsp }: AskedSettings): readonly string[] {
  const addresses = [...lists.filter(isAddress), ...(ocsp?.responder === undefined ? [] : [ocsp.responder])];
  return [...hosts, ...addresses.map((address) => new URL(address).host)];
}

async function refuseUnreadable(
  sources: readonly string[],
  lists: RevocationLists,
  field: (at: number) => string,
): Promise<void> {
  for (const [at, source] of sources.entries()) {
    if (isAddress(source)) continue;
    const { problem } = await lists.refresh(source);
    if (problem === undefined) continue;
    throw new AppError('config-invalid', `${source}: ${problem}`, { field: field(at) });
  }
}

function isAddress(source: string): boolean {
  return /^https?:/.test(source);
}
