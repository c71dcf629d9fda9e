import { type EvidenceWish, type ImportSource, layoutsOfWish, type SigningIdentity } from '#engine/engine-ports.ts';
import { signerAttestor } from '#engine/signer-attestor.ts';
import type { ArmedRule, Installation, ScheduledPolicy } from '#jobs/installation.ts';
import { AppError } from '#model/errors.ts';
import { isMadeType } from '#model/evidence-type.ts';
import { defaultLayout, layoutsOf } from '#model/layout-choice.ts';
import { SLSA_PROVENANCE_V1, SLSA_PROVENANCE_V02 } from '#model/media-types.ts';
import type { EvidenceRule, Rule } from '#model/rule.ts';
import { anyPolicy } from '#policy/any-policy.ts';
import type { CompiledPolicy } from '#policy/policy.ts';
import { trustPolicy } from '#policy/trust-policy.ts';
import { signerKind } from '#signing/signer-kind.ts';
import type { Attestor } from '#verification/attestor.ts';

export interface InstallationParts {
  readonly source: string;
  readonly rules: readonly Rule[];
  readonly signers: ReadonlyMap<string, SigningIdentity>;
  readonly trusts: ReadonlyMap<string, Attestor>;
  readonly policies: ReadonlyMap<string, readonly ScheduledPolicy[]>;
  /** Ids of the trusts that ask whether certificates were revoked; absent: none does. */
  readonly revocable?: { has(trust: string): boolean };
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
  // The tools that policies are written for read no list of revoked certificates: such a trust is judged beside them.
  const asks = (entry: EvidenceRule | undefined) => entry?.trust !== undefined && parts.revocable?.has(entry.trust);
  const entries = rule.evidence.map((entry, at) => {
    return { entry, wish: armEntry(rule, entry, `rules.${rule.name}.evidence[${at}]`, parts) };
  });
  const made = entries.filter(({ entry }) => isMadeType(entry.type) && entry.type !== 'vsa');
  const wishes = made.map(({ wish }) => wish);
  const policies = rule.policies.flatMap((id) => named(parts.policies, id, `rules.${rule.name}.policies`));
  return {
    rule,
    wishes,
    handedIn: entries.filter(({ entry }) => !isMadeType(entry.type)),
    summaries: entries.flatMap(({ entry, wish }) =>
      entry.type === 'vsa' ? [{ wish, levels: entry.verifiedLevels ?? [] }] : [],
    ),
    ...builderOf(rule, parts),
    policies: [
      ...policies,
      ...ownTrust(rule, wishes).filter((_, at) => policies.length === 0 || asks(made[at]?.entry)),
    ],
  };
}

function armEntry(rule: Rule, entry: EvidenceRule, field: string, parts: InstallationParts): EvidenceWish {
  const identity = named(parts.signers, entry.signer, `${field}.signer`);
  const attestor = entry.trust === undefined ? trustOf(identity) : named(parts.trusts, entry.trust, `${field}.trust`);
  const { type, predicateType, repository, platforms } = entry;
  const imports = entry.import?.map((each, at): ImportSource => {
    const place = `${field}.import[${at}]`;
    const by = named(parts.signers, each.signer, `${place}.signer`);
    if (each.from === 'buildkit') return { from: each.from, identity: by };
    return { from: each.from, identity: by, trust: named(parts.trusts, each.trust, `${place}.trust`) };
  });
  return {
    type,
    predicateType,
    identity,
    attestor,
    ...(repository === undefined ? {} : { repository }),
    layouts: layoutsOf(entry.layout ?? defaultLayout(signerKind(identity.signer))),
    ...(rule.hiding === undefined ? {} : { hiding: rule.hiding }),
    platforms,
    rule: rule.name,
    ...(imports ? { imports } : {}),
    ...(entry.promote ? { promote: entry.promote } : {}),
  };
}

function trustOf({ signer, trust }: SigningIdentity): Attestor {
  return trust ?? signerAttestor(signer);
}

function builderOf({ name, when }: Rule, { trusts }: InstallationParts): Pick<ArmedRule, 'builder'> {
  if (!when?.builder) return {};
  const { trust, builderId, wait } = when.builder;
  const attestor = named(trusts, trust, `rules.${name}.when.builder.trust`);
  return { builder: { attestor, trust, builderId, waitMs: wait } };
}

/** A rule without policies still notices when its own evidence lapses. */
function ownTrust(rule: Rule, wishes: readonly EvidenceWish[]): readonly ScheduledPolicy[] {
  return wishes.map((wish, at) => {
    const id = ownTrustId(rule, wishes, at);
    const taken = (wish.imports ?? []).flatMap(({ identity: { signer } }) =>
      PROVENANCE_TYPES.map((type) => trustIn(id, wish, type, signerAttestor(signer))),
    );
    const own = trustIn(id, wish, wish.predicateType, wish.attestor);
    return { everyMs: DEFAULT_EVERY_MS, policy: taken.length === 0 ? own : anyPolicy(own, taken) };
  });
}

/** What may be taken over in place of what is observed. */
const PROVENANCE_TYPES = [SLSA_PROVENANCE_V1, SLSA_PROVENANCE_V02];

function trustIn(id: string, wish: EvidenceWish, type: string, attestor: Attestor): CompiledPolicy {
  const { repository } = wish;
  return trustPolicy({
    id,
    predicateTypes: [type],
    attestor,
    layouts: layoutsOfWish(wish),
    inEach: true,
    ...(repository === undefined ? {} : { repository }),
  });
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
