import { policyRoot } from '#compose/policy-root.ts';
import type { ScheduledPolicy } from '#jobs/installation.ts';
import type { Reason } from '#model/verdict.ts';
import { compilePolicies, problems } from '#policy/load.ts';
import type { PolicyOptions } from '#policy/options.ts';

/** The configured policies by id. A document that cannot be judged stays in: its verdict says so. */
export async function loadPolicies(
  options: readonly PolicyOptions[],
  readFile: (path: string) => Promise<Buffer>,
  onProblem: (policy: string, problem: Reason) => void,
): Promise<ReadonlyMap<string, readonly ScheduledPolicy[]>> {
  const policies = new Map<string, readonly ScheduledPolicy[]>();
  for (const { id, file, every, trustedRoot } of options) {
    const scheduled: ScheduledPolicy[] = [];
    const root = trustedRoot === undefined ? {} : await policyRoot(trustedRoot, readFile);
    for (const path of file) {
      const text = (await readFile(path)).toString('utf8');
      for (const policy of compilePolicies(text, { source: path, ...root })) {
        for (const problem of problems(policy)) onProblem(policy.identity.uri, problem);
        scheduled.push({ policy, everyMs: every });
      }
    }
    policies.set(id, scheduled);
  }
  return policies;
}
