import type { EvidenceWish } from '#engine/engine-ports.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { Rule } from '#model/rule.ts';
import type { CompiledPolicy } from '#policy/policy.ts';

/** A policy and how often what it says is checked again. */
export interface ScheduledPolicy {
  readonly policy: CompiledPolicy;
  readonly everyMs: number;
}

/** A rule with all that it names put in place. */
export interface ArmedRule {
  readonly rule: Rule;
  readonly wishes: readonly EvidenceWish[];
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
