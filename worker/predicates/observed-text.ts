/** What a config or manifest said of itself, made fit to be signed as an observation. */
export interface ObservedTexts {
  readonly values: Readonly<Record<string, string>>;
  /** How many were left out for the bounds. */
  readonly omitted: number;
}

const MAX_ENTRIES = 100;
const MAX_KEY = 256;
const MAX_VALUE = 1024;

/**
 * Labels or annotations, sorted and bounded in number and length. Unicode that JSON readers would refuse is replaced;
 * what is too long is left out and counted rather than cut, because half a value is another value.
 */
export function observedTexts(texts: Readonly<Record<string, string>>): ObservedTexts {
  const all = Object.entries(texts).map(([key, value]) => [key.toWellFormed(), value.toWellFormed()] as const);
  const fitting = all
    .filter(([key, value]) => key.length <= MAX_KEY && value.length <= MAX_VALUE && key !== '__proto__')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MAX_ENTRIES);
  return { values: Object.fromEntries(fitting), omitted: all.length - fitting.length };
}
