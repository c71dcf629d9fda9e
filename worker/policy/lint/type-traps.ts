import type { Path, Trap } from '#policy/lint/finding.ts';

const VERSIONED = /^https:\/\/(?:cyclonedx\.org\/bom|spdx\.dev\/Document)\/v[\d.]+$/;
const PROVENANCE = /^(?:https:\/\/slsa\.dev\/provenance\/v|slsaprovenance)/;

/** A predicateType that no tool writes. */
export function typeTraps(type: string, path: Path): readonly Trap[] {
  return VERSIONED.test(type) ? [{ code: 'versioned-predicate-type', path, found: type }] : [];
}

/** Provenance of which nobody asks who built. `conditions` is whatever looks at the predicate. */
export function builderTraps(type: string, conditions: unknown, path: Path): readonly Trap[] {
  if (!PROVENANCE.test(type)) return [];
  // Line ends in CUE and CEL are letters once they are written as JSON.
  const text = JSON.stringify(conditions ?? '').replaceAll(/\\[nt]/g, ' ');
  return /builder\W{0,40}id\b/i.test(text) ? [] : [{ code: 'provenance-any-builder', path, found: type }];
}
