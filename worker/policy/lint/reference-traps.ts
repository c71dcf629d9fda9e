import type { Path, Trap } from '#policy/lint/finding.ts';
import { lacksHost } from '#policy/matching/kyverno-image.ts';
import { wildcardMatches, wildcardMatchesAny } from '#policy/matching/wildcard.ts';

const DIGEST = `@sha256:${'0123456789abcdef'.repeat(4)}`;

/** Patterns that match other images than they seem to. */
export function referenceTraps(patterns: readonly string[], path: Path): readonly Trap[] {
  return patterns.flatMap((pattern, index): readonly Trap[] => {
    if (pattern.includes('{{')) return [];
    const at = [...path, index];
    return [
      ...(lacksHost(pattern) ? [{ code: 'reference-without-host', path: at, found: pattern } as const] : []),
      ...(hidesDigest(pattern, patterns) ? [{ code: 'digest-not-matched', path: at, found: pattern } as const] : []),
    ];
  });
}

/** A glob that is tried against the image as the Pod writes it, so that no host belongs in front of it. */
export function rawGlobTraps(globs: readonly string[], pathOf: (index: number) => Path): readonly Trap[] {
  return globs.flatMap((glob, index) =>
    hidesDigest(glob, globs) ? [{ code: 'digest-not-matched', path: pathOf(index), found: glob } as const] : [],
  );
}

export function repositoryTraps(repository: string, path: Path): readonly Trap[] {
  if (repository === '' || repository.includes('{{') || !lacksHost(repository)) return [];
  return [{ code: 'reference-without-host', path, found: repository }];
}

/** Whether the same image by digest is matched neither by this pattern nor by one beside it. */
function hidesDigest(pattern: string, all: readonly string[]): boolean {
  const colon = pattern.lastIndexOf(':');
  if (colon < pattern.lastIndexOf('/') || pattern.includes('@') || colon < 0) return false;
  const name = pattern.slice(0, colon).replace(/[*?]/g, 'a');
  const tagged = name + pattern.slice(colon).replace(/[*?]/g, 'a');
  return wildcardMatches(pattern, tagged) && !wildcardMatchesAny(all, name + DIGEST);
}
