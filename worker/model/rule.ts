import type { ImageRef } from '#model/image-ref.ts';
import { CYCLONEDX, SLSA_PROVENANCE_V1 } from '#model/media-types.ts';

/** The kinds of evidence that can be made, by cosign's `--type` names. */
export const EVIDENCE_TYPES = ['cyclonedx', 'slsaprovenance1'] as const;
export type EvidenceType = (typeof EVIDENCE_TYPES)[number];

export const DEFAULT_PREDICATE_TYPES: Readonly<Record<EvidenceType, string>> = {
  cyclonedx: CYCLONEDX,
  slsaprovenance1: SLSA_PROVENANCE_V1,
};

/** One piece of evidence that a rule wants on an image. */
export interface EvidenceRule {
  readonly type: EvidenceType;
  /** The exact predicateType URI; verifiers compare it as a string. */
  readonly predicateType: string;
  readonly layout: 'cosign-tag';
  /** Id of a configured signer. */
  readonly signer: string;
  /** `registry/path` that holds the evidence; absent: the image's own repository. */
  readonly repository?: string;
  /** Id of a configured trust; absent: the signer's own chain. */
  readonly trust?: string;
  /** For an index: also on each platform image. SBOMs default to true, provenance to false. */
  readonly platforms: boolean;
}

/** When a signature may be given. Every member that is present must hold; a list holds when one entry matches. */
export interface When {
  readonly source?: readonly string[];
  readonly actor?: readonly string[];
  readonly tag?: readonly string[];
}

export interface Rule {
  readonly name: string;
  /** Patterns: `*` stays within a path segment, `**` crosses. */
  readonly match: {
    readonly registry?: readonly string[];
    readonly repository?: readonly string[];
    readonly tag?: readonly string[];
  };
  readonly evidence: readonly EvidenceRule[];
  /** Ids of configured policies. */
  readonly policies: readonly string[];
  readonly when?: When;
  readonly onLapse: 'attest' | 'alert';
}

export interface RuleMiss {
  readonly rule: string;
  /** The first part that did not match, in words. */
  readonly why: string;
}

export interface RuleChoice {
  readonly rule?: Rule;
  /** The rules before it, and why each did not hold. */
  readonly missed: readonly RuleMiss[];
}

/** The rule that holds for an image: the first whose patterns all match. */
export function chooseRule(rules: readonly Rule[], image: ImageRef): RuleChoice {
  const missed: RuleMiss[] = [];
  for (const rule of rules) {
    const why = mismatch(rule, image);
    if (why === undefined) return { rule, missed };
    missed.push({ rule: rule.name, why });
  }
  return { missed };
}

function mismatch({ match }: Rule, image: ImageRef): string | undefined {
  if (match.registry && !matchesAny(match.registry, image.registry)) {
    return `registry ${image.registry} is not ${listed(match.registry)}`;
  }
  if (match.repository && !matchesAny(match.repository, image.repository)) {
    return `repository ${image.repository} is not ${listed(match.repository)}`;
  }
  if (match.tag) {
    if (image.tag === undefined) return 'the image has no tag and the rule names one';
    if (!matchesAny(match.tag, image.tag)) return `tag ${image.tag} is not ${listed(match.tag)}`;
  }
  return undefined;
}

export interface WhenContext {
  readonly source: string;
  readonly actor?: string;
  readonly tag?: string;
}

/** Why a rule's `when` does not hold, in words; undefined when it holds. */
export function whenUnmet(when: When | undefined, context: WhenContext): string | undefined {
  if (!when) return undefined;
  if (when.source && !matchesAny(when.source, context.source)) {
    return `source ${context.source} is not ${listed(when.source)}`;
  }
  if (when.actor && (context.actor === undefined || !matchesAny(when.actor, context.actor))) {
    return `actor ${context.actor ?? '(unknown)'} is not ${listed(when.actor)}`;
  }
  if (when.tag && (context.tag === undefined || !matchesAny(when.tag, context.tag))) {
    return `tag ${context.tag ?? '(none)'} is not ${listed(when.tag)}`;
  }
  return undefined;
}

/** True when one of the patterns matches the whole text. */
export function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => globMatches(pattern, text));
}

/** Whole-string match; `**` any run, `*` any run without a slash. No regular expression: no backtracking blow-up. */
export function globMatches(pattern: string, text: string): boolean {
  let reachable = new Set([0]);
  for (let i = 0; i < pattern.length; i++) {
    const crosses = pattern[i] === '*' && pattern[i + 1] === '*';
    if (pattern[i] === '*') {
      if (crosses) i++;
      reachable = spread(reachable, text, crosses);
    } else {
      const next = new Set<number>();
      for (const at of reachable) if (text[at] === pattern[i]) next.add(at + 1);
      reachable = next;
    }
    if (reachable.size === 0) return false;
  }
  return reachable.has(text.length);
}

function spread(from: ReadonlySet<number>, text: string, crosses: boolean): Set<number> {
  const reached = new Set<number>();
  for (const start of from) {
    for (let at = start; at <= text.length && !reached.has(at); at++) {
      reached.add(at);
      if (!crosses && text[at] === '/') break;
    }
  }
  return reached;
}

function listed(patterns: readonly string[]): string {
  return patterns.length === 1 ? `${patterns[0]}` : `one of ${patterns.join(', ')}`;
}
