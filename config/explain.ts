import { chosenLayout, evidencePlan } from '#config/evidence-plan.ts';
import type { Config } from '#config/schema.ts';
import { suggestion } from '#config/suggest.ts';
import { AppError } from '#model/errors.ts';
import { formatImageRef, type ImageRef, parseImageRef } from '#model/image-ref.ts';
import type { LayoutChoice } from '#model/layout-choice.ts';
import { type Readability, readability } from '#model/readability.ts';
import {
  chooseRule,
  type EvidenceRule,
  type Rule,
  type RuleMiss,
  type When,
  type WhenContext,
  whenUnmet,
} from '#model/rule.ts';
import { VERIFIERS, type Verifier } from '#model/verifier.ts';

type Signer = Config['signers'][number];
type Policy = Config['policies'][number];

/** What one verifier will make of evidence. */
export type ExplainedReader = { readonly verifier: Verifier } & Readability;

export interface ExplainedEvidence extends EvidenceRule {
  /** What it names, or the default of its signer. */
  readonly layout: LayoutChoice;
  /** Every verifier whose reading is known. */
  readonly readers: readonly ExplainedReader[];
  /** `registry/path` where it is written and looked for. */
  readonly location: string;
  readonly signerType: Signer['type'];
  /** File of the signing certificate; absent for a plain key. */
  readonly certificate?: string;
}

/** What happens to an image, and why. */
export interface Explanation {
  /** The image by the configured name of its registry. */
  readonly image: string;
  readonly registry: string;
  /** The rule that holds; absent: nothing is signed, nothing is verified. */
  readonly rule?: string;
  /** The rules before it in order, and why each did not hold. */
  readonly missed: readonly RuleMiss[];
  readonly evidence: readonly ExplainedEvidence[];
  readonly policies: readonly { readonly id: string; readonly files: readonly string[]; readonly everyMs: number }[];
  readonly when?: When;
  /** Why the given push would not be signed; absent when it would, or when no push was given. */
  readonly unmet?: string;
  readonly onLapse?: Rule['onLapse'];
}

/**
 * Which rule holds for an image and what follows. With a push (`source`, `actor`) it also says whether that push would
 * be signed.
 * @throws AppError `reference-invalid`; `unknown-registry` naming what is configured.
 */
export function explainImage(config: Config, reference: string, push?: Omit<WhenContext, 'tag'>): Explanation {
  const written = parseImageRef(reference);
  const image: ImageRef = { ...written, registry: registryName(config, written.registry) };
  const { rule, missed } = chooseRule(config.rules, image);
  const shown = { image: formatImageRef(image), registry: image.registry, missed };
  if (!rule) return { ...shown, evidence: [], policies: [] };
  const unmet = push && whenUnmet(rule.when, { ...push, ...(image.tag === undefined ? {} : { tag: image.tag }) })?.why;
  return {
    ...shown,
    rule: rule.name,
    evidence: rule.evidence.map((evidence) => explainEvidence(config, evidence, image)),
    policies: rule.policies.flatMap((id) => config.policies.filter((policy) => policy.id === id).map(explainPolicy)),
    ...(rule.when ? { when: rule.when } : {}),
    ...(unmet === undefined ? {} : { unmet }),
    onLapse: rule.onLapse,
  };
}

function registryName(config: Config, host: string): string {
  const registry = config.registries.find(({ name, aliases }) => name === host || aliases.includes(host));
  if (registry) return registry.name;
  const names = config.registries.map(({ name }) => name);
  throw new AppError('unknown-registry', `the registry ${host} is not configured`, {
    field: 'registries',
    mend: suggestion(host, names),
  });
}

function explainEvidence(config: Config, evidence: EvidenceRule, image: ImageRef): ExplainedEvidence {
  const signer = config.signers.find(({ id }) => id === evidence.signer);
  const plan = signer && evidencePlan(evidence, signer, config.witnesses);
  return {
    ...evidence,
    layout: signer ? chosenLayout(evidence, signer) : (evidence.layout ?? 'cosign-tag'),
    readers: plan ? VERIFIERS.map((verifier) => ({ verifier, ...readability(verifier, plan) })) : [],
    location: evidence.repository ?? `${image.registry}/${image.repository}`,
    signerType: signer?.type ?? 'key',
    ...(signer?.type === 'x509' ? { certificate: signer.certificate } : {}),
  };
}

function explainPolicy({ id, file, every }: Policy): Explanation['policies'][number] {
  return { id, files: file, everyMs: every };
}
