import * as z from 'zod';
import { CAUSES, LANES } from '#model/job.ts';
import { LEARNED_BY } from '#model/removal.ts';
import { SIGNING_REFUSALS, type SigningRefusalReason } from '#model/signing-refusal.ts';
import { OUTCOMES } from '#model/verdict.ts';

/**
 * What an event tells, by type. Receivers build on these shapes: a member is only ever added; anything else is a new
 * version of the type. Lists and texts are bounded, since an event goes to places with limits of their own.
 */
export const MAX_REASONS = 20;
export const MAX_ITEMS = 100;
export const MAX_TEXT = 1000;

const message = z.string().describe('The event in one line for people.');
const image = z.string().describe('registry/repository@digest.');
const at = (meaning: string) => z.string().describe(`${meaning} ISO 8601.`);

const Reason = z.object({
  code: z.string().describe('Reason code, see reasons.md.'),
  message: z.string(),
  clause: z.string().exactOptional().describe('Where in the policy.'),
  wanted: z.string().exactOptional(),
  found: z.string().exactOptional(),
  evidence: z.string().exactOptional().describe('registry/repository@digest of the piece of evidence.'),
  next: z.string().exactOptional().describe('What to do about it.'),
});

export const VerdictData = z.object({
  image: z.string().describe('As judged: with the tag where there is one.'),
  digest: z.string().exactOptional(),
  policy: z.object({
    name: z.string(),
    kind: z.string(),
    uri: z.string(),
    digest: z.string().describe('Digest of the text of the policy.'),
  }),
  emulates: z.string().describe('The tool and version whose judgement this is.'),
  mode: z.enum(['compat', 'strict']),
  outcome: z.enum(OUTCOMES),
  strictOutcome: z.enum(OUTCOMES).exactOptional(),
  reasons: z.array(Reason).describe(`At most ${MAX_REASONS}.`),
  reasonsOmitted: z.number().exactOptional().describe('How many more reasons there were.'),
});
export type VerdictData = z.output<typeof VerdictData>;

export const TransitionData = z.object({
  message,
  image,
  policyUri: z.string().describe('States are kept by image and this.'),
  sequence: z.number().describe('Grows by one with each change of this image under this policy.'),
  change: z.enum(['first', 'changed', 'could-not-check', 'checked-again']),
  verdict: VerdictData,
  previous: z
    .object({ outcome: z.enum(OUTCOMES), codes: z.array(z.string()) })
    .exactOptional()
    .describe('The state before.'),
});
export type TransitionData = z.output<typeof TransitionData>;

const Item = z.object({
  type: z.string().describe("By cosign's --type names."),
  predicateType: z.string(),
  layout: z
    .string()
    .exactOptional()
    .describe("cosign-tag: at a tag of cosign's. bundle: a Sigstore bundle that refers."),
  location: z.string().describe('Where it is attached.'),
  subject: z.string().describe('Digest that it is about.'),
  digest: z.string().exactOptional().describe('Digest of the envelope, or of the bundle.'),
  state: z.string().describe('created, replaced, restored or copied; lost for evidence that is gone.'),
  from: z.string().exactOptional().describe('registry/repository that it was copied from.'),
  hides: z
    .array(z.string())
    .exactOptional()
    .describe(`What stands at cosign's tags and verifiers that prefer bundles see no more. At most ${MAX_ITEMS}.`),
  left: z
    .array(z.string())
    .exactOptional()
    .describe(`Referrers that it replaced and that the registry does not delete. At most ${MAX_ITEMS}.`),
});

const origin = {
  rule: z.string(),
  source: z.string().describe('The source of the push, `api` or `scheduler`.'),
  actor: z.string().exactOptional(),
  tag: z.string().exactOptional(),
  cause: z.enum(CAUSES),
};

export const EvidenceData = z.object({
  message,
  image,
  ...origin,
  evidence: z.array(Item).describe(`At most ${MAX_ITEMS}.`),
});
export type EvidenceData = z.output<typeof EvidenceData>;

const REFUSAL_REASONS = Object.keys(SIGNING_REFUSALS) as SigningRefusalReason[];

export const RefusedData = z.object({
  message,
  image,
  ...origin,
  reason: z.enum(REFUSAL_REASONS).describe('What was not as the rule wants it.'),
  why: z.string(),
});
export type RefusedData = z.output<typeof RefusedData>;

export const ExpiringData = z.object({
  message,
  signer: z.string().describe('Id of the signer.'),
  fingerprint: z.string().describe('SHA-256 of the certificate, hex.'),
  certificate: z.string().describe('Its subject.'),
  notAfter: at('Its end.'),
  daysLeft: z.number().describe('Whole days; negative once it is over.'),
  threshold: z.number().describe('Days before the end that were passed; each is told of once.'),
});
export type ExpiringData = z.output<typeof ExpiringData>;

export const StaleTrustData = z.object({
  message,
  trust: z.string().describe('Id of the trust.'),
  code: z.string().describe('Error code, see errors.md.'),
  reason: z.string(),
  expires: at('Until when the older material counts; absent: nothing can be judged under the trust.').exactOptional(),
});
export type StaleTrustData = z.output<typeof StaleTrustData>;

export const RenewedData = z.object({
  message,
  signer: z.string().describe('Id of the signer.'),
  fingerprint: z.string().describe('SHA-256 of the new certificate, hex.'),
  certificate: z.string().describe('Its subject.'),
  notAfter: at('Its end.'),
  previous: z.string().describe('SHA-256 of the certificate before it, hex; to be kept under `former`.'),
});
export type RenewedData = z.output<typeof RenewedData>;

export const RateData = z.object({
  message,
  source: z.string(),
  repository: z.string().describe('registry/repository.'),
  limit: z.number().describe('Pushes an hour that the source allows.'),
});
export type RateData = z.output<typeof RateData>;

export const UnauthenticatedData = z.object({ message, source: z.string() });
export type UnauthenticatedData = z.output<typeof UnauthenticatedData>;

export const SuspendedData = z.object({
  message,
  registry: z.string().describe('Its name.'),
  since: at('When it was first left alone.'),
  retryAt: at('When it is tried again.'),
});
export type SuspendedData = z.output<typeof SuspendedData>;

export const SilentData = z.object({
  message,
  source: z.string().describe('Its id.'),
  lastHeard: at('When it spoke last.'),
  expectedBy: at('When it should have spoken again.'),
});
export type SilentData = z.output<typeof SilentData>;

export const HeardAgainData = z.object({
  message,
  source: z.string().describe('Its id.'),
  silentSince: at('When it had spoken before.'),
  heardAt: at('When it spoke.'),
});
export type HeardAgainData = z.output<typeof HeardAgainData>;

export const ResumedData = z.object({
  message,
  registry: z.string().describe('Its name.'),
  since: at('Since when it was left alone.'),
});
export type ResumedData = z.output<typeof ResumedData>;

export const SweepFailingData = z.object({
  message,
  registry: z.string().describe('Its name.'),
  since: at('When it was stopped first.'),
  retryAt: at('When it is tried again.'),
  code: z.string().describe('Error code, see errors.md.'),
  reason: z.string(),
});
export type SweepFailingData = z.output<typeof SweepFailingData>;

export const SweepRecoveredData = z.object({
  message,
  registry: z.string().describe('Its name.'),
  since: at('When it had been stopped first.'),
});
export type SweepRecoveredData = z.output<typeof SweepRecoveredData>;

export const BackfillNeededData = z.object({
  message,
  registry: z.string().describe('Its name.'),
  images: z.number().describe('Images that were counted.'),
  limit: z.number().describe('Images that are attested without asking.'),
  next: z.string().describe('The command to run.'),
});
export type BackfillNeededData = z.output<typeof BackfillNeededData>;

export const RemovedData = z.object({
  message,
  image,
  tag: z.string().exactOptional().describe('The tag that does not name it any more.'),
  movedTo: z.string().exactOptional().describe('Digest that the tag names instead; absent: the tag is gone.'),
  learnedBy: z.enum(LEARNED_BY).describe('By what it was learned; the registry was asked in each case.'),
  source: z.string().describe('Of the event that told it; `sweep` or `scheduler` where none did.'),
  actor: z.string().exactOptional().describe('Who did it, from a source whose deliveries are authenticated.'),
});
export type RemovedData = z.output<typeof RemovedData>;

export const DeadJobData = z.object({
  message,
  lane: z.enum(LANES),
  jobId: z.string(),
  image: z.string().exactOptional().describe('What the job was about; absent for deliveries.'),
  code: z.string().describe('Error code, see errors.md.'),
  reason: z.string(),
  attempts: z.number(),
});
export type DeadJobData = z.output<typeof DeadJobData>;

export const AlertData = z.object({
  message,
  image,
  policyUri: z.string().describe('States are kept by image and this.'),
  since: at('Since when the alert is open.').exactOptional(),
  verdict: VerdictData.describe(
    'The newest verdict; of a resolved alert the one that resolved it, when there is one.',
  ).exactOptional(),
});
export type AlertData = z.output<typeof AlertData>;
