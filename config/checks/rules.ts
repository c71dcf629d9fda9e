import type { Draft, Entry } from '#config/draft.ts';
import type { Finding } from '#config/problem.ts';
import { suggestion } from '#config/suggest.ts';
import { matchesAny } from '#model/rule.ts';

type RuleEntry = Entry<'rules'>;

/** A rule that an earlier one covers can never hold. */
export function checkReachable({ entries: { rules } }: Draft): Finding[] {
  return rules.flatMap((later, index): Finding[] => {
    const earlier = rules.slice(0, index).find((rule) => covers(rule.value.match, later.value.match));
    if (!earlier) return [];
    const message = `the rule "${later.value.name}" can never hold: every image that it matches is "${earlier.value.name}"'s`;
    const mend = 'move it before that rule, or remove it: the first rule that matches holds';
    return [{ severity: 'warning', path: later.path, message, mend }];
  });
}

/** Patterns of registries speak of names that are configured. */
export function checkMatchedRegistries({ entries: { rules, registries } }: Draft): Finding[] {
  const names = registries.map(({ value }) => value.name);
  return rules.flatMap(({ path, value }) => {
    return (value.match.registry ?? []).flatMap((pattern, index): Finding[] => {
      if (names.some((name) => matchesAny([pattern], name))) return [];
      const owner = registries.find((entry) => [entry.value.address, ...entry.value.aliases].includes(pattern));
      const mend = owner ? `write its name, ${owner.value.name}` : suggestion(pattern, names);
      const message = `no configured registry is called ${pattern}`;
      return [{ severity: 'warning', path: [...path, 'match', 'registry', index], message, mend }];
    });
  });
}

/** Evidence that is named twice would be signed twice. */
export function checkRepetitions({ entries: { rules } }: Draft): Finding[] {
  return rules.flatMap(checkTwice);
}

function checkTwice({ path, value }: RuleEntry): Finding[] {
  const seen = new Set<string>();
  return value.evidence.flatMap((evidence, index): Finding[] => {
    const key = [evidence.predicateType, evidence.repository ?? '', evidence.signer].join('\n');
    const twice = seen.has(key);
    seen.add(key);
    if (!twice) return [];
    const message = `${evidence.type} is named twice for the same signer and place`;
    return [
      {
        severity: 'error',
        path: [...path, 'evidence', index],
        message,
        mend: 'remove one of the two; layout: both is one entry',
      },
    ];
  });
}

/** What a rule demands of a push can be met by a configured source. */
export function checkWhen({ entries: { rules, sources }, declared }: Draft): Finding[] {
  const ids = [...declared.sources.map((entry) => entry.id), 'api'];
  const open = new Set(sources.flatMap(({ value }) => (value.auth.kind === 'none' ? [value.id] : [])));
  return rules.flatMap(({ path, value: { when } }): Finding[] => {
    if (!when) return [];
    const unknown = (when.source ?? []).flatMap((pattern, index): Finding[] => {
      if (ids.some((id) => matchesAny([pattern], id))) return [];
      const message = `no source is called ${pattern}, so this can never be met`;
      return [
        { severity: 'warning', path: [...path, 'when', 'source', index], message, mend: suggestion(pattern, ids) },
      ];
    });
    const allowed = ids.filter((id) => !when.source || matchesAny(when.source, id));
    if (!when.actor || !allowed.every((id) => open.has(id))) return unknown;
    const message = 'an actor is only believed from a source that authenticates its deliveries, and none here does';
    const mend = 'give the source a credential under auth';
    return [...unknown, { severity: 'warning', path: [...path, 'when', 'actor'], message, mend }];
  });
}

type Match = RuleEntry['value']['match'];

function covers(earlier: Match, later: Match): boolean {
  return (
    dimensionCovers(earlier.registry, later.registry) &&
    dimensionCovers(earlier.repository, later.repository) &&
    // Without a tag pattern the later rule also matches untagged pushes, which a rule with one never does.
    (earlier.tag === undefined || (later.tag !== undefined && dimensionCovers(earlier.tag, later.tag)))
  );
}

function dimensionCovers(earlier: readonly string[] | undefined, later: readonly string[] | undefined): boolean {
  if (!earlier || earlier.includes('**')) return true;
  return later?.every((narrow) => earlier.some((wide) => patternCovers(wide, narrow))) ?? false;
}

/** True when each text that `narrow` matches is matched by `wide`. May miss a cover, never claims a wrong one. */
export function patternCovers(wide: string, narrow: string): boolean {
  // Wildcards of the narrow pattern count as symbols of their own: only an equal or wider wildcard takes them.
  const symbols = narrow.match(/\*\*|./gs) ?? [];
  const tokens = wide.match(/\*\*|./gs) ?? [];
  let reachable = new Set([0]);
  for (const token of tokens) {
    const next = new Set<number>();
    for (const start of reachable) {
      if (token !== '*' && token !== '**') {
        if (symbols[start] === token) next.add(start + 1);
        continue;
      }
      for (let at = start; at <= symbols.length && !next.has(at); at++) {
        next.add(at);
        if (token === '*' && (symbols[at] === '/' || symbols[at] === '**')) break;
      }
    }
    reachable = next;
  }
  return reachable.has(symbols.length);
}
