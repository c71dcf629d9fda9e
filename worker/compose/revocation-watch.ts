import { isOcspSource } from '#compose/ocsp-source.ts';
import { GOOD, saidByResponders, saidOf } from '#compose/ocsp-watch.ts';
import type { Revocation } from '#compose/revocation.ts';
import type { Installation } from '#jobs/installation.ts';
import type { Ledger } from '#model/ledger.ts';
import type { AskedCertificate, RevocationMemory } from '#redis/revocation-memory.ts';
import type { HeldLists, RevocationLists } from '#trust/revocation-lists.ts';

export interface RevocationWatchParts {
  readonly revocation: Pick<Revocation, 'lists'> & Partial<Pick<Revocation, 'answers'>>;
  readonly memory: Pick<RevocationMemory, 'asked' | 'note'>;
  readonly ledger: Pick<Ledger, 'makeDue'>;
  /** The policies whose verdicts rest on a trust. */
  policiesOf(trust: string): readonly string[];
  now(): Date;
}

/**
 * Reads the lists again that certificates of known evidence were looked up in, and asks their responders. Where one says something new of such a
 * certificate, the images that are judged under its trust are due at once; what the lists said is put down only
 * then, so that a crash in between asks again.
 * @returns how many verdicts became due.
 */
export async function watchRevocation(parts: RevocationWatchParts): Promise<number> {
  let due = 0;
  for (const [trust, lists] of parts.revocation.lists) {
    const asked = await parts.memory.asked(trust);
    const said = new Map([
      ...(await saidByLists(asked, lists)),
      ...(await saidByResponders(asked, parts.revocation.answers?.get(trust))),
    ]);
    const news = asked.flatMap((certificate): AskedCertificate[] => {
      const now = said.get(certificate);
      return now === undefined || now === certificate.said ? [] : [{ ...certificate, said: now }];
    });
    // A certificate that was asked for once and is good is no news.
    if (news.some((each) => each.said !== GOOD || isRevoked(asked, each))) {
      for (const policyUri of parts.policiesOf(trust)) due += await parts.ledger.makeDue({ policyUri }, parts.now());
    }
    for (const certificate of news) await parts.memory.note(trust, certificate);
  }
  return due;
}

/** Whether the lists called it revoked before: a certificate on hold may come back. */
function isRevoked(asked: readonly AskedCertificate[], { source, serial }: AskedCertificate): boolean {
  const before = asked.find((each) => each.source === source && each.serial === serial)?.said ?? '';
  return before !== '' && before !== GOOD;
}

/** What lists say now of those that were looked up in them; nothing where nothing new could be read. */
async function saidByLists(
  asked: readonly AskedCertificate[],
  lists: RevocationLists,
): Promise<ReadonlyMap<AskedCertificate, string>> {
  const inLists = asked.filter(({ source }) => !isOcspSource(source));
  const held = new Map<string, HeldLists>();
  for (const source of new Set(inLists.map((each) => each.source))) held.set(source, await lists.refresh(source));
  return new Map(
    inLists.flatMap((certificate) => {
      const said = listed(certificate, held.get(certificate.source));
      return said === undefined ? [] : [[certificate, said] as const];
    }),
  );
}

function listed({ serial }: AskedCertificate, held: HeldLists | undefined): string | undefined {
  if (!held || held.problem !== undefined) return undefined;
  for (const { entries } of held.lists) {
    const entry = entries.bySerial.get(serial);
    if (entry && entry.reason !== 'removeFromCRL') return saidOf(entry);
  }
  return GOOD;
}

/** The policies whose verdicts may rest on a trust: those of each rule that names it. */
export function policiesUnder(trust: string, { rules, armed }: Installation): readonly string[] {
  const concerned = rules.filter(({ evidence }) => evidence.some((entry) => entry.trust === trust));
  return concerned.flatMap((rule) => armed(rule).policies.map(({ policy }) => policy.identity.uri));
}

export interface AskedCertificates {
  /** To be called by judging, which waits for nothing. */
  note(trust: string, source: string, serial: string): void;
  /** Once there is a memory; what was noted before is put down then. */
  keepIn(memory: Pick<RevocationMemory, 'ask'>): void;
}

/** Puts down which certificates were looked up, for `watchRevocation`. */
export function createAskedCertificates(onError: (error: unknown) => void): AskedCertificates {
  const early: (readonly [string, string, string])[] = [];
  let memory: Pick<RevocationMemory, 'ask'> | undefined;
  return {
    note(...asked) {
      if (memory) memory.ask(...asked).catch(onError);
      else early.push(asked);
    },
    keepIn(given) {
      memory = given;
      for (const asked of early.splice(0)) given.ask(...asked).catch(onError);
    },
  };
}
