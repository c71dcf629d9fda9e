import type { Draft, Entry } from '#config/draft.ts';
import { evidencePlan } from '#config/evidence-plan.ts';
import type { Finding, Path } from '#config/problem.ts';
import type { EvidencePlan } from '#model/readability.ts';
import { readability } from '#model/readability.ts';
import type { EvidenceRule } from '#model/rule.ts';
import { VERIFIER_TITLES } from '#model/verifier.ts';

/** Evidence of a rule with one of the signers that it names. */
export interface PlannedEvidence {
  readonly rule: Entry<'rules'>['value'];
  readonly evidence: EvidenceRule;
  readonly signer: Entry<'signers'>['value'];
  readonly plan: EvidencePlan;
  /** Of the evidence. */
  readonly path: Path;
}

/** All evidence of all rules, by each of its signers that is well-formed. */
export function plannedEvidence({
  rules,
  signers,
  witnesses,
}: Pick<Draft['entries'], 'rules' | 'signers' | 'witnesses'>): readonly PlannedEvidence[] {
  const configured = witnesses.map(({ value }) => value);
  return rules.flatMap(({ path, value: rule }) =>
    rule.evidence.flatMap((evidence, at) => {
      const ids = [evidence.signer, ...(evidence.import ?? []).map(({ signer }) => signer)];
      return signers
        .filter(({ value }) => ids.includes(value.id))
        .map(({ value: signer }) => ({
          rule,
          evidence,
          signer,
          plan: evidencePlan(evidence, signer, configured),
          path: [...path, 'evidence', at],
        }));
    }),
  );
}

/** Verifiers that a rule names must be able to read its evidence: said here, not discovered at an admission. */
export function checkReaders({ entries }: Draft): Finding[] {
  return plannedEvidence(entries).flatMap(({ rule, evidence, signer, plan, path }) =>
    (rule.verifiers ?? []).flatMap((verifier): Finding[] => {
      const found = readability(verifier, plan);
      if (found.readable) return [];
      const what = `${evidence.type} of the rule "${rule.name}" (signer ${signer.id})`;
      const message = `${VERIFIER_TITLES[verifier]} cannot read ${what}: ${found.why}`;
      return [{ severity: 'error', path, message, mend: found.mend }];
    }),
  );
}
