import { clipped, oneLine } from '#events/bounded.ts';
import { cloudEvent, type EventContext } from '#events/cloud-event.ts';
import { type EvidenceData, MAX_ITEMS, type RefusedData } from '#events/event-data.ts';
import { wordEvidence } from '#events/wording.ts';
import type { CloudEvent, EventType } from '#model/event.ts';
import type { ImageJob } from '#model/job.ts';
import type { SigningRefusal } from '#model/signing-refusal.ts';

/** The job that found something out about an image. */
export interface WorkContext extends EventContext {
  /** `registry/repository@digest`. */
  readonly image: string;
  readonly rule: string;
  readonly job: ImageJob;
}

export interface EvidenceItem {
  readonly type: string;
  readonly predicateType: string;
  readonly location: string;
  /** Digest that the statement is about. */
  readonly subject: string;
  /** `cosign-tag` or `bundle`. */
  readonly layout?: string;
  /** Digest of the envelope. */
  readonly digest?: string;
  readonly state: string;
  /** `registry/repository` that it was copied from. */
  readonly from?: string;
  /** What it hides from the verifiers that prefer bundles. */
  readonly hides?: readonly string[];
  /** Referrers that it replaced and that stay, since the registry does not delete. */
  readonly left?: readonly string[];
}

export function evidenceAttached(context: WorkContext, evidence: readonly EvidenceItem[]): CloudEvent<EvidenceData> {
  return evidenceEvent('dev.attestry.evidence.attached.v1', 'attached to', context, evidence);
}

export function evidenceRestored(context: WorkContext, evidence: readonly EvidenceItem[]): CloudEvent<EvidenceData> {
  return evidenceEvent('dev.attestry.evidence.restored.v1', 'restored on', context, evidence);
}

export function evidenceCopied(context: WorkContext, evidence: readonly EvidenceItem[]): CloudEvent<EvidenceData> {
  return evidenceEvent('dev.attestry.evidence.copied.v1', 'copied to', context, evidence);
}

/** The state of its items is `lost`, whatever became of them since. */
export function evidenceLost(context: WorkContext, evidence: readonly EvidenceItem[]): CloudEvent<EvidenceData> {
  const lost = evidence.map((item) => ({ ...item, state: 'lost' }));
  return evidenceEvent('dev.attestry.evidence.lost.v1', 'lost from', context, lost);
}

function evidenceEvent(
  type: EventType,
  verb: Parameters<typeof wordEvidence>[0],
  context: WorkContext,
  evidence: readonly EvidenceItem[],
): CloudEvent<EvidenceData> {
  const data: EvidenceData = {
    message: wordEvidence(verb, context.image, evidence),
    image: context.image,
    ...originOf(context),
    evidence: evidence.slice(0, MAX_ITEMS).map(itemOf),
  };
  // The time of the delivery tells two losses of the same evidence apart, and stays the same over a job's retries.
  const items = evidence.map(({ location, subject, digest }) => `${location} ${subject} ${digest ?? ''}`);
  const identity = [context.image, context.job.receivedAt, ...items.sort()];
  return cloudEvent(type, { subject: context.image, identity }, data, traced(context));
}

function itemOf(item: EvidenceItem): EvidenceData['evidence'][number] {
  const { type, predicateType, layout, location, subject, digest, state, from, hides, left } = item;
  return {
    type,
    predicateType,
    ...(layout === undefined ? {} : { layout }),
    location,
    subject,
    ...(digest === undefined ? {} : { digest }),
    state,
    ...(from === undefined ? {} : { from }),
    ...(hides ? { hides: hides.slice(0, MAX_ITEMS) } : {}),
    ...(left ? { left: left.slice(0, MAX_ITEMS) } : {}),
  };
}

/** `what` tells refusals of one push apart: the digest of a statement that was handed in. */
export function signingRefused(
  context: WorkContext,
  { reason, why }: SigningRefusal,
  what = '',
): CloudEvent<RefusedData> {
  const { image, rule, job } = context;
  const data: RefusedData = {
    message: oneLine(`${image}: not signed under rule ${rule}: ${why}`),
    image,
    ...originOf(context),
    reason,
    why: clipped(why),
  };
  const identity = [
    image,
    rule,
    job.source,
    job.actor ?? '',
    job.image.tag ?? '',
    job.receivedAt,
    ...(what ? [what] : []),
  ];
  return cloudEvent('dev.attestry.signing.refused.v1', { subject: image, identity }, data, traced(context));
}

function originOf({ rule, job }: WorkContext) {
  return {
    rule,
    source: job.source,
    ...(job.actor === undefined ? {} : { actor: oneLine(job.actor) }),
    ...(job.image.tag === undefined ? {} : { tag: job.image.tag }),
    cause: job.cause,
  };
}

function traced(context: WorkContext): EventContext {
  return { source: context.source, now: context.now, traceparent: context.traceparent ?? context.job.traceparent };
}
