import type { EvidenceWish, SigningIdentity } from '#engine/engine-ports.ts';
import { signerAttestor } from '#engine/signer-attestor.ts';
import type { ArmedRule, Installation, ScheduledPolicy } from '#jobs/installation.ts';
import { AppError } from '#model/errors.ts';
import type { Rule } from '#model/rule.ts';
import { trustPolicy } from '#policy/trust-policy.ts';
import type { Attestor } from '#verification/attestor.ts';

export interface InstallationParts {
  readonly source: string;
  readonly rules: readonly Rule[];
  readonly signers: ReadonlyMap<string, SigningIdentity>;
  readonly trusts: ReadonlyMap<string, Attestor>;
  readonly policies: ReadonlyMap<string, readonly ScheduledPolicy[]>;
}

/** How often evidence is checked again where a rule names no policy that would say so. */
const DEFAULT_EVERY_MS = 6 * 60 * 60 * 1000;

/** Puts signers, trusts and policies in place of the ids by which the rules name them; once, at the start. */
export function createInstallation(parts: InstallationParts): Installation {
  const armed = new Map(parts.rules.map((rule) => [rule.name, armRule(rule, parts)]));
  return {
    source: parts.source,
    rules: parts.rules,
    armed: (rule) => named(armed, rule.name, `rules.${rule.name}`),
  };
}

function armRule(rule: Rule, parts: InstallationParts): ArmedRule {
  const wishes = rule.evidence.map((evidence, at): EvidenceWish => {
    const field = `rules.${rule.name}.evidence[${at}]`;
    const identity = named(parts.signers, evidence.signer, `${field}.signer`);
    const attestor =
      evidence.trust === undefined
        ? signerAttestor(identity.signer)
        : named(parts.trusts, evidence.trust, `${field}.trust`);
    const { type, predicateType, repository, platforms } = evidence;
    return {
      type,
      predicateType,
      identity,
      attestor,
      ...(repository === undefined ? {} : { repository }),
      platforms,
      rule: rule.name,
    };
  });
  const policies = rule.policies.flatMap((id) => named(parts.policies, id, `rules.${rule.name}.policies`));
  return { rule, wishes, policies: policies.length > 0 ? policies : ownTrust(rule, wishes) };
}

/** A rule without policies still notices when its own evidence lapses. */
function ownTrust(rule: Rule, wishes: readonly EvidenceWish[]): readonly ScheduledPolicy[] {
  return wishes.map(({ predicateType, attestor, repository }, at) => ({
    everyMs: DEFAULT_EVERY_MS,
    policy: trustPolicy({
      id: ownTrustId(rule, wishes, at),
      predicateTypes: [predicateType],
      attestor,
      ...(repository === undefined ? {} : { repository }),
    }),
  }));
}

/** States are kept by this id, so two wishes of one type (by two signers, in two places) must not share one. */
function ownTrustId({ name }: Rule, wishes: readonly EvidenceWish[], at: number): string {
  const type = wishes[at]?.type;
  const earlier = wishes.slice(0, at).filter((wish) => wish.type === type).length;
  return `${name}/${type}${earlier === 0 ? '' : `/${earlier + 1}`}`;
}

function named<Value>(values: ReadonlyMap<string, Value>, id: string, field: string): Value {
  const value = values.get(id);
  if (value !== undefined) return value;
  throw new AppError('config-invalid', `there is no "${id}"`, {
    field,
    mend: `known: ${[...values.keys()].join(', ')}`,
  });
}
