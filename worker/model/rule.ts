import type { EvidenceType } from '#model/evidence-type.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { LayoutChoice } from '#model/layout-choice.ts';
import type { SigningRefusal } from '#model/signing-refusal.ts';
import type { Verifier } from '#model/verifier.ts';

export { DEFAULT_PREDICATE_TYPES, EVIDENCE_TYPES, type EvidenceType } from '#model/evidence-type.ts';

/**
 * Provenance that somebody else made, to be signed by us as it is: found in the index (BuildKit, unsigned), as a bundle
 * (GitHub) or in the attestation tag (Tekton Chains). `signer` is named beside the rule's own, since its signature only
 * says that the statement was there (interop E.4).
 */
export type ImportRule =
  | { readonly from: 'buildkit'; readonly signer: string }
  | { readonly from: 'github' | 'tekton'; readonly signer: string; readonly trust: string };

/** Evidence that the same image has in another repository, to be copied instead of made anew. */
export interface PromoteRule {
  /** `registry/path` of repositories, in order; with `*` and `**` it matches those in which the digest was seen. */
  readonly from: readonly string[];
  /** What happens where no such evidence is found. */
  readonly otherwise: 'make' | 'refuse';
}

/** One piece of evidence that a rule wants on an image. */
export interface EvidenceRule {
  readonly type: EvidenceType;
  /** The exact predicateType URI; verifiers compare it as a string. */
  readonly predicateType: string;
  /** Absent: by the kind of its signer, see `defaultLayout`. */
  readonly layout?: LayoutChoice;
  /** Id of a configured signer. */
  readonly signer: string;
  /** `registry/path` that holds the evidence; absent: the image's own repository. */
  readonly repository?: string;
  /** Id of a configured trust; absent: the signer's own chain. */
  readonly trust?: string;
  /** For an index: also on each platform image. SBOMs default to true, provenance to false. */
  readonly platforms: boolean;
  /** Of provenance: what is taken over where it is found, in order; observed provenance is made otherwise. */
  readonly import?: readonly ImportRule[];
  readonly promote?: PromoteRule;
  /** Of what is handed in: whether a later statement of the type takes the place of an earlier one. Default: true. */
  readonly replace?: boolean;
  /** Of a verification summary: what a pass attests beside that no SLSA level was evaluated. */
  readonly verifiedLevels?: readonly string[];
}

/** Provenance that an image must carry before anything of it is signed. */
export interface BuilderRequirement {
  /** Id of the trust under which it must hold. */
  readonly trust: string;
  /** Patterns, one of which `builder.id` must match. */
  readonly builderId: readonly string[];
  /** Milliseconds that a push waits for it: builders attest after they push. */
  readonly wait: number;
}

/** When a signature may be given. Every member that is present must hold; a list holds when one entry matches. */
export interface When {
  readonly source?: readonly string[];
  readonly actor?: readonly string[];
  readonly tag?: readonly string[];
  /** Asked of the registry, by the engine; the others are told by the push. */
  readonly builder?: BuilderRequirement;
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
  /**
   * Whether a first bundle may be attached that hides cosign tags of others from the verifiers that prefer bundles.
   * Absent: it may not.
   */
  readonly hiding?: 'refuse' | 'warn';
  /** Verifiers that must be able to read the evidence, beside those of the rule's policies. */
  readonly verifiers?: readonly Verifier[];
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
  readonly actor?: string | undefined;
  readonly tag?: string | undefined;
}

/**
 * Why the push is not one that a rule's `when` lets be signed; undefined when it is. `builder` is not asked here: that
 * needs the registry.
 */
export function whenUnmet(when: When | undefined, context: WhenContext): SigningRefusal | undefined {
  if (!when) return undefined;
  if (when.source && !matchesAny(when.source, context.source)) {
    return { reason: 'source', why: `source ${context.source} is not ${listed(when.source)}` };
  }
  if (when.actor && (context.actor === undefined || !matchesAny(when.actor, context.actor))) {
    return { reason: 'actor', why: `actor ${context.actor ?? '(unknown)'} is not ${listed(when.actor)}` };
  }
  if (when.tag && (context.tag === undefined || !matchesAny(when.tag, context.tag))) {
    return { reason: 'tag', why: `tag ${context.tag ?? '(none)'} is not ${listed(when.tag)}` };
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

export function listed(patterns: readonly string[]): string {
  return patterns.length === 1 ? `${patterns[0]}` : `one of ${patterns.join(', ')}`;
}
