import type { BuilderGate } from '#engine/builder-evidence.ts';
import type { EvidenceWish } from '#engine/engine-ports.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { EvidenceRule, Rule } from '#model/rule.ts';
import type { CompiledPolicy } from '#policy/policy.ts';

/** A policy and how often what it says is checked again. */
export interface ScheduledPolicy {
  readonly policy: CompiledPolicy;
  readonly everyMs: number;
}

/** A verification summary of each policy of the rule. */
export interface SummaryWish {
  readonly wish: EvidenceWish;
  readonly levels: readonly string[];
}

/** What an entry of the rule lets be handed in. */
export interface HandedInWish {
  readonly entry: EvidenceRule;
  readonly wish: EvidenceWish;
}

/** A rule with all that it names put in place. */
export interface ArmedRule {
  readonly rule: Rule;
  /** What is made from the image, or taken over. */
  readonly wishes: readonly EvidenceWish[];
  /** What may be handed in, in the order of the rule's entries. */
  readonly handedIn: readonly HandedInWish[];
  /** What is made of the verdicts. */
  readonly summaries: readonly SummaryWish[];
  /** Provenance that must be there before anything is signed. */
  readonly builder?: BuilderGate & { readonly waitMs: number };
  /** The rule's policies; where it names none, whether its own evidence holds under its own trust. */
  readonly policies: readonly ScheduledPolicy[];
}

/** What is configured, ready to work with. */
export interface Installation {
  /** URI-reference that events name as their source. */
  readonly source: string;
  readonly rules: readonly Rule[];
  armed(rule: Rule): ArmedRule;
}

/** The image as a pod names it: by tag where there is one. */
export function podImage(image: ImageRef): ImageRef {
  const { registry, repository, tag, digest } = image;
  if (tag !== undefined) return { registry, repository, tag };
  return { registry, repository, ...(digest === undefined ? {} : { digest }) };
}
