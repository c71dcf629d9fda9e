import { builderUnmet } from '#engine/builder-evidence.ts';
import type { ArmedRule } from '#jobs/installation.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import { AppError } from '#model/errors.ts';
import type { WrittenEvidence } from '#model/evidence.ts';
import type { ImageJob } from '#model/job.ts';
import { type WhenContext, whenUnmet } from '#model/rule.ts';
import type { SigningRefusal } from '#model/signing-refusal.ts';
import type { Subject } from '#model/subject.ts';

/** What a rule's `when` says of one push, asked before anything is signed for it. */
export interface GateResult {
  /** Why nothing new may be signed. */
  readonly refused?: SigningRefusal;
  /** Whether the image carries the provenance that the rule asks for, or it asks for none. */
  readonly builderHolds: boolean;
  /** Whether `when` also holds for the push that something was signed for before, by the rule as it is now. */
  heldFor(before: WrittenEvidence | undefined): boolean;
}

/** How often the evidence of a builder is looked for while it is awaited, at most. */
const LOOKS = 20;
const SHORTEST_LOOK_MS = 5000;

/**
 * Asks a rule's `when`. A push that fails only for the provenance of its builder is looked at again for a while: builders
 * attest after they push.
 * @throws AppError `builder-evidence-awaited` while it may still come, and the registry errors.
 */
export async function askGate(
  armed: ArmedRule,
  subject: Subject,
  asked: WhenContext & Pick<ImageJob, 'receivedAt' | 'cause'>,
  ports: JobPorts,
  { signal }: JobContext,
): Promise<GateResult> {
  const { when } = armed.rule;
  const refused = whenUnmet(when, asked);
  const result = (builderHolds: boolean, why = refused): GateResult => ({
    builderHolds,
    ...(why ? { refused: why } : {}),
    // Of what is not recorded nobody knows for whom it was signed.
    heldFor: (before) => builderHolds && whenUnmet(when, before?.signedFor ?? { source: '' }) === undefined,
  });
  const { builder } = armed;
  if (!builder) return result(true);
  const why = await builderUnmet(subject, builder, ports.engine, signal);
  if (why === undefined) return result(true);
  if (refused) return result(false);
  const waited = ports.now().getTime() - Date.parse(asked.receivedAt);
  if (waited < builder.waitMs && (asked.cause === 'push' || asked.cause === 'api')) {
    throw new AppError('builder-evidence-awaited', why, {
      field: `rules.${armed.rule.name}.when.builder`,
      mend: 'attest the image in its build, or take builder out of the rule',
      retryAfterMs: Math.max(SHORTEST_LOOK_MS, Math.ceil(builder.waitMs / LOOKS)),
    });
  }
  return result(false, { reason: 'builder', why });
}
