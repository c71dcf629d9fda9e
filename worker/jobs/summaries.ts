import { attestImage } from '#engine/attest.ts';
import type { EvidenceWish } from '#engine/engine-ports.ts';
import { readyStatement } from '#engine/ready-statement.ts';
import type { SettledEvidence } from '#engine/settle.ts';
import type { WorkContext } from '#events/work-events.ts';
import type { GateResult } from '#jobs/gate.ts';
import type { ArmedRule, SummaryWish } from '#jobs/installation.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import { recordsOf } from '#jobs/recorded-wishes.ts';
import { tellEvidence } from '#jobs/told.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import type { Subject } from '#model/subject.ts';
import type { Verdict } from '#model/verdict.ts';
import { statementBytes } from '#predicates/statement.ts';
import { isSameSummary, summarisedPolicy, summaryPredicate } from '#predicates/verification-summary.ts';

export interface SummaryRequest {
  readonly subject: Subject;
  readonly armed: ArmedRule;
  readonly verdicts: readonly Verdict[];
  readonly gate: GateResult;
  readonly work: WorkContext;
}

/**
 * Signs what the verdicts say, where the rule wants that: a summary for each policy, in place of the one before it. The
 * first one is signed only when the rule's `when` holds. From then on it follows the verdict, whoever asks: a summary that
 * says PASSED must not outlive its truth. Only one that says FAILED does so without the builder's provenance.
 */
export async function settleSummaries(
  { subject, armed, verdicts, gate, work }: SummaryRequest,
  ports: JobPorts,
  context: JobContext,
): Promise<readonly SettledEvidence[]> {
  const settled: SettledEvidence[] = [];
  for (const summary of armed.summaries) {
    const known = (await recordsOf(subject, summary.wish, ports)).length > 0;
    for (const verdict of verdicts) {
      const wish = summaryWish(subject, summary, verdict, ports);
      if (!wish) continue;
      const holds = gate.builderHolds || verdict.outcome !== 'pass';
      const { evidence } = await attestImage(
        {
          subject,
          wishes: [wish],
          maySign: gate.refused === undefined || (known && holds),
          mayRestore: holds,
          force: false,
          signal: context.signal,
        },
        ports.engine,
      );
      settled.push(...evidence);
    }
  }
  await tellEvidence(work, settled, ports);
  return settled;
}

function summaryWish(
  { image }: Subject,
  { wish, levels }: SummaryWish,
  verdict: Verdict,
  { engine, now }: JobPorts,
): EvidenceWish | undefined {
  const predicate = summaryPredicate({
    verdict,
    image,
    builderId: engine.builderId,
    timeVerified: now(),
    levels,
  });
  if (!predicate) return undefined;
  const payload = statementBytes({
    subjectName: formatRepositoryRef(image),
    subjectDigest: image.digest,
    predicateType: wish.predicateType,
    predicate,
  });
  return {
    ...wish,
    ready: {
      ...readyStatement(image.digest, payload, false),
      isSame: ({ statement }) => isSameSummary(statement?.predicate, predicate),
      supersedes: (earlier) => summarisedPolicy(earlier.predicate) === verdict.policy.uri,
    },
  };
}
