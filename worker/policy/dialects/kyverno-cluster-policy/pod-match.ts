import type { MatchResources, ResourceFilter, Rule } from '#policy/dialects/kyverno-cluster-policy/schema.ts';
import { wildcardMatches } from '#policy/matching/wildcard.ts';

/**
 * Whether a rule speaks of a Pod that is created with just the image: `depends` where that is decided by what is not
 * known here (its namespace, labels, creator); then the clauses that decide.
 */
export type PodMatch =
  | { readonly kind: 'yes' }
  | { readonly kind: 'no' }
  | { readonly kind: 'depends'; readonly clauses: readonly string[] };

const YES: PodMatch = { kind: 'yes' };
const NO: PodMatch = { kind: 'no' };

/** Judges `match` and `exclude` of a rule (interop specification B.2). `clause` is that of the rule. */
export function matchPod(rule: Rule, clause: string): PodMatch {
  const matched = matchBlock(rule.match, `${clause}.match`);
  const excluded = rule.exclude ? matchBlock(rule.exclude, `${clause}.exclude`) : NO;
  if (matched.kind === 'no' || excluded.kind === 'yes') return NO;
  return allOf([matched, negate(excluded)]);
}

function matchBlock(block: MatchResources | null | undefined, clause: string): PodMatch {
  if (!block) return NO;
  if (block.any?.length) return anyOf(block.any.map((filter, i) => matchFilter(filter, `${clause}.any[${i}]`)));
  if (block.all?.length) return allOf(block.all.map((filter, i) => matchFilter(filter, `${clause}.all[${i}]`)));
  return matchFilter(block, clause);
}

function matchFilter(filter: ResourceFilter, clause: string): PodMatch {
  const { resources } = filter;
  if (resources?.kinds?.length && !resources.kinds.some(isPod)) return NO;
  const operations = resources?.operations;
  if (operations?.length && !operations.some((operation) => operation === 'CREATE' || operation === '*')) return NO;
  const undecided = (
    [
      ['resources.name', resources?.name],
      ['resources.names', resources?.names],
      ['resources.namespaces', resources?.namespaces],
      ['resources.annotations', resources?.annotations],
      ['resources.selector', resources?.selector],
      ['resources.namespaceSelector', resources?.namespaceSelector],
      ['roles', filter.roles],
      ['clusterRoles', filter.clusterRoles],
      ['subjects', filter.subjects],
    ] as const
  )
    .filter(([, value]) => isGiven(value))
    .map(([name]) => `${clause}.${name}`);
  if (undecided.length > 0) return { kind: 'depends', clauses: undecided };
  return resources?.kinds?.length ? YES : NO;
}

/** `Pod`, `v1/Pod`, `*`: a version and a group may stand before the kind. A subresource is not the Pod itself. */
function isPod(kind: string): boolean {
  const parts = kind.split('/');
  const last = parts.at(-1) ?? '';
  const versions = parts.slice(0, -1);
  return wildcardMatches(last, 'Pod') && versions.length <= 2 && versions.every((part) => /^(?:\*|v1)$/.test(part));
}

function isGiven(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function anyOf(matches: readonly PodMatch[]): PodMatch {
  if (matches.some(({ kind }) => kind === 'yes')) return YES;
  const clauses = matches.flatMap((match) => (match.kind === 'depends' ? match.clauses : []));
  return clauses.length > 0 ? { kind: 'depends', clauses } : NO;
}

function allOf(matches: readonly PodMatch[]): PodMatch {
  if (matches.some(({ kind }) => kind === 'no')) return NO;
  const clauses = matches.flatMap((match) => (match.kind === 'depends' ? match.clauses : []));
  return clauses.length > 0 ? { kind: 'depends', clauses } : YES;
}

function negate(match: PodMatch): PodMatch {
  switch (match.kind) {
    case 'yes':
      return NO;
    case 'no':
      return YES;
    case 'depends':
      return match;
  }
}
