import { type PlannedEvidence, plannedEvidence } from '#config/checks/readers.ts';
import type { Entries } from '#config/draft.ts';
import { type Finding, formatPath } from '#config/problem.ts';
import { AppError } from '#model/errors.ts';
import { readability } from '#model/readability.ts';
import { VERIFIER_TITLES } from '#model/verifier.ts';
import { type PolicyAsk, policyAsks } from '#policy/policy-asks.ts';

/**
 * Evidence of rules that the verifiers of their own policies cannot read: an admission would refuse the image although
 * all of it was made. Policies of kinds that are not judged here count too.
 */
export async function policyReaderFindings(
  entries: Pick<Entries, 'rules' | 'signers' | 'witnesses' | 'policies'>,
  readFile: (path: string) => Promise<Uint8Array>,
): Promise<readonly Finding[]> {
  const asks = new Map<string, readonly PolicyAsk[]>();
  for (const {
    value: { id, file },
  } of entries.policies) {
    const texts = await Promise.all(file.map(async (path) => Buffer.from(await readFile(path)).toString('utf8')));
    asks.set(id, texts.flatMap(policyAsks));
  }
  const planned = plannedEvidence(entries);
  return entries.rules.flatMap(({ value: rule }) => {
    const wanted = planned.filter((each) => each.rule === rule);
    return rule.policies.flatMap((id) => (asks.get(id) ?? []).flatMap((ask) => unreadable(ask, wanted)));
  });
}

/** @throws AppError `config-invalid` with everything that was found. */
export function refuseUnreadable(findings: readonly Finding[]): void {
  const [first] = findings;
  if (!first) return;
  const message = findings.map(({ path, message }) => `${formatPath(path)}: ${message}`).join('; ');
  throw new AppError('config-invalid', message, { field: formatPath(first.path), mend: first.mend });
}

/** Whether nothing that the rule makes of what the policy asks for can be read. By which signer it is asked is not told. */
function unreadable(ask: PolicyAsk, planned: readonly PlannedEvidence[]): readonly Finding[] {
  const asked = planned.filter(({ evidence }) =>
    ask.predicateType === undefined ? evidence.type === 'signature' : evidence.predicateType === ask.predicateType,
  );
  const found = asked.map((each) => ({ ...each, reading: readability(ask.verifier, each.plan, ask.only) }));
  if (found.some(({ reading }) => reading.readable)) return [];
  return found.flatMap(({ rule, evidence, signer, path, reading }): Finding[] => {
    if (reading.readable) return [];
    const what = `${evidence.type} of the rule "${rule.name}" (signer ${signer.id})`;
    const message = `${VERIFIER_TITLES[ask.verifier]} cannot read ${what}, which ${ask.policy} asks for: ${reading.why}`;
    return [{ severity: 'error', path, message, mend: reading.mend }];
  });
}
