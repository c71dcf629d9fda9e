/** What is known of when a source spoke. */
export interface Heard {
  readonly first: Date;
  readonly last: Date;
  readonly count: number;
  readonly usualMs: number;
}

/** Below these nothing was learnt of a source's rhythm. */
const LEARN_FOR_MS = 3 * 24 * 3_600_000;
const LEARN_COUNT = 20;
/** Nobody is called for less. */
const LEAST_MS = 6 * 3_600_000;
/** Silences as usual that are unusual in a row. */
const TIMES = 3;

/**
 * How long a source may be silent, milliseconds: what its settings say, else three times its longest usual silence and
 * six hours at least; undefined while that is not known.
 */
export function patienceMs(heard: Heard, configuredMs: number | undefined): number | undefined {
  if (configuredMs !== undefined) return configuredMs;
  const known = heard.last.getTime() - heard.first.getTime() >= LEARN_FOR_MS && heard.count >= LEARN_COUNT;
  return known ? Math.max(LEAST_MS, TIMES * heard.usualMs) : undefined;
}
