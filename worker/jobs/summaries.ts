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
import type { SignedFor } from '#model/evidence.ts';
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
  readonly signedFor?: SignedFor | undefined;
  readonly work: WorkContext;
}

/**
 * Signs what the verdicts say, where the rule wants that: a summary for each policy, in place of the one before it. The
 * first one is signed only when the rule's `when` holds. From then on it follows the verdict, whoever asks: a summary that
 * says PASSED must not outlive its truth. One that says FAILED does so always; one that says PASSED where `when`, as it is
 * now, holds for the push that it was first signed for.
 * @param signedFor the push that is at hand; absent: nobody pushed
 */
export async function settleSummaries(
  { subject, armed, verdicts, gate, signedFor, work }: SummaryRequest,
  ports: JobPorts,
  context: JobContext,
): Promise<readonly SettledEvidence[]> {
  const settled: SettledEvidence[] = [];
  for (const summary of armed.summaries) {
    const known = await recordsOf(subject, summary.wish, ports);
    const isKnown = known.length > 0;
    const isHeldFor = known.some((entry) => gate.heldFor(entry));
    for (const verdict of verdicts) {
      const wish = summaryWish(subject, summary, verdict, ports);
      if (!wish) continue;
      const holds = isHeldFor || verdict.outcome !== 'pass';
      const { evidence } = await attestImage(
        {
          subject,
          wishes: [wish],
          maySign: gate.refused === undefined || (isKnown && holds),
          mayRestore: gate.builderHolds || verdict.outcome !== 'pass',
          mayRenew: gate.heldFor,
          signedFor,
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
