import type { EvidenceDefect } from '#model/evidence.ts';
import type { ObserverDemand, WitnessTrust } from '#verification/attestor.ts';
import type { WitnessCheck } from '#verification/witness.ts';

/**
 * The times that witnesses vouch for, and those that stand beside what they signed.
 * @param source whose times count, where others are not asked
 */
export function witnessedTimes(
  witnesses: readonly WitnessCheck[],
  source: ObserverDemand['source'] | 'none' = 'any',
): { readonly times: readonly Date[]; readonly claimed: readonly Date[] } {
  const verified = witnesses.filter((witness) => witness.kind === 'verified');
  const counted = verified.filter((witness) => source === 'any' || witness.source === source);
  return {
    times: counted.flatMap(({ time }) => (time ? [time] : [])),
    claimed: verified.flatMap(({ claimed }) => (claimed ? [claimed] : [])),
  };
}

/** The first witness that is bad, in the order in which they stand. */
export function witnessDefect(witnesses: readonly WitnessCheck[]): EvidenceDefect | undefined {
  for (const witness of witnesses) if (witness.kind === 'defect') return witness.defect;
  return undefined;
}

/** Why fewer witnesses than the attestor wants tell the time; undefined when enough do. */
export function observersDefect(
  witnesses: readonly WitnessCheck[],
  { observers }: WitnessTrust,
): EvidenceDefect | undefined {
  if (!observers) return undefined;
  const { source, least } = observers;
  const told = witnesses.filter(
    (witness) => witness.kind === 'verified' && witness.time && (source === 'any' || witness.source === source),
  );
  if (told.length >= least || witnesses.some(({ kind }) => kind === 'unsupported')) return undefined;
  const who = { any: 'log entries or timestamps', log: 'log entries', authority: 'timestamps' }[source];
  const message = `Only ${told.length} ${who} tell when the signature was made, and ${least} must.`;
  return { code: 'timestamp-missing', message };
}
