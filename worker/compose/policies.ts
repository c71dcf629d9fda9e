import type { ScheduledPolicy } from '#jobs/installation.ts';
import { compilePolicies } from '#policy/load.ts';
import type { PolicyOptions } from '#policy/options.ts';

/** The configured policies by id. A document that cannot be judged stays in: its verdict says so. */
export async function loadPolicies(
  options: readonly PolicyOptions[],
  readFile: (path: string) => Promise<Buffer>,
): Promise<ReadonlyMap<string, readonly ScheduledPolicy[]>> {
  const policies = new Map<string, readonly ScheduledPolicy[]>();
  for (const { id, file, every } of options) {
    const scheduled: ScheduledPolicy[] = [];
    for (const path of file) {
      const text = (await readFile(path)).toString('utf8');
      scheduled.push(...compilePolicies(text, { source: path }).map((policy) => ({ policy, everyMs: every })));
    }
    policies.set(id, scheduled);
  }
  return policies;
}
