import { plannedEvidence } from '#config/checks/readers.ts';
import type { Draft, Entry } from '#config/draft.ts';
import { plannedLayouts } from '#config/evidence-plan.ts';
import type { Finding, Path } from '#config/problem.ts';
import { parseRepositoryRef } from '#model/image-ref.ts';
import { pathProblem } from '#model/registry-limits.ts';
import { matchesAny } from '#model/rule.ts';

type RuleEntry = Entry<'rules'>;
type Signers = ReadonlyMap<string, Entry<'signers'>['value']>;

/** Rekor v2 tells no time, and cosign's tags cannot hold its entries (interop K.1, 3). */
export function checkTimeEvidence(draft: Draft): Finding[] {
  return plannedEvidence(draft.entries).flatMap(({ rule, evidence, signer, plan, path }): Finding[] => {
    const { testimonies, layouts, kind } = plan;
    if (!testimonies.includes('rekor-v2') || testimonies.length > 1) return [];
    const what = `${evidence.type} of the rule "${rule.name}"`;
    if (layouts.includes('cosign-tag')) {
      const message = `${what} has a Rekor v2 log as its only witness (signer ${signer.id}), and cosign's tags cannot hold its entries`;
      const mend = 'write layout: bundle, or give the signer a timestamp authority or a Rekor v1 log beside it';
      return [{ severity: 'error', path, message, mend }];
    }
    if (kind === 'key') return [];
    const message = `${what} has a Rekor v2 log as its only witness (signer ${signer.id}), and that tells no time: no verifier takes its certificate`;
    return [{ severity: 'error', path, message, mend: 'give the signer a timestamp authority beside it' }];
  });
}

/** One bundle hides everything at cosign's tags from some verifiers: a rule does not hide its own evidence. */
export function checkMixedLayouts(draft: Draft): Finding[] {
  const signers = signersById(draft);
  return draft.entries.rules.flatMap(({ path, value: rule }) => {
    if (rule.hiding === 'warn') return [];
    return rule.evidence.flatMap((evidence, at): Finding[] => {
      const layouts = plannedLayouts(evidence, signers.get(evidence.signer));
      if (!layouts.includes('cosign-tag') || layouts.includes('bundle')) return [];
      const hiding = rule.evidence.find(
        (other) =>
          other.repository === evidence.repository &&
          plannedLayouts(other, signers.get(other.signer)).includes('bundle'),
      );
      if (!hiding) return [];
      const message = `the bundle of ${hiding.type} hides this ${evidence.type} from cosign 3 and ImageValidatingPolicy: it is at cosign's tag alone`;
      const mend = 'write layout: both on it, or layout: cosign-tag on the other, or hiding: warn on the rule';
      return [{ severity: 'error', path: [...path, 'evidence', at], message, mend }];
    });
  });
}

/** Some registries take repository paths of a few levels only: the evidence would have nowhere to go. */
export function checkPathDepth({ entries: { rules, registries } }: Draft): Finding[] {
  return rules.flatMap(({ path, value }) =>
    value.evidence.flatMap(({ repository }, at): Finding[] => {
      if (repository === undefined) return [];
      const ref = parseRepositoryRef(repository);
      const registry = registries.find(({ value: { name, aliases } }) => [name, ...aliases].includes(ref.registry));
      const hosts = [ref.registry, registry?.value.address ?? registry?.value.name ?? ref.registry];
      const problem = hosts.map((host) => pathProblem(host, ref.repository)).find(Boolean);
      if (!problem) return [];
      const mend = `use a repository such as ${ref.registry}/${problem.flat}`;
      return [{ severity: 'error', path: [...path, 'evidence', at, 'repository'], message: problem.message, mend }];
    }),
  );
}

/** A tag that cannot be written again holds its first evidence for ever; the next one has no place. */
export function checkImmutableTags(draft: Draft): Finding[] {
  const signers = signersById(draft);
  const fixed = draft.entries.registries.filter(({ value }) => value.immutableTags).map(({ value }) => value);
  return draft.entries.rules.flatMap((rule) =>
    rule.value.evidence.flatMap((evidence, at): Finding[] => {
      if (!plannedLayouts(evidence, signers.get(evidence.signer)).includes('cosign-tag')) return [];
      const registry = fixed.find(({ name, aliases }) => mayLieIn(rule, evidence.repository, [name, ...aliases]));
      if (!registry) return [];
      const path: Path = [...rule.path, 'evidence', at];
      const message = `${evidence.type} of the rule "${rule.value.name}" goes to cosign's tag, and the tags of ${registry.name} cannot be written again`;
      const mend = `write layout: bundle, or match ${registry.name} by a rule of its own, or name a repository elsewhere`;
      return [{ severity: 'error', path, message, mend }];
    }),
  );
}

function mayLieIn({ value: { match } }: RuleEntry, repository: string | undefined, names: readonly string[]): boolean {
  if (repository !== undefined) return names.includes(parseRepositoryRef(repository).registry);
  return match.registry === undefined || names.slice(0, 1).some((name) => matchesAny(match.registry ?? [], name));
}

function signersById({ entries }: Draft): Signers {
  return new Map(entries.signers.map(({ value }) => [value.id, value]));
}
