import type * as z from 'zod';
import {
  AlertData,
  BackfillNeededData,
  DeadJobData,
  EvidenceData,
  ExpiringData,
  RateData,
  RefusedData,
  RenewedData,
  ResumedData,
  StaleTrustData,
  SuspendedData,
  TransitionData,
  UnauthenticatedData,
} from '#events/event-data.ts';
import type { EventType } from '#model/event.ts';

/** The shape of `data` for each event type, and what `subject` names. */
export const EVENT_DATA: Readonly<Record<EventType, { readonly data: z.ZodType; readonly subject: string }>> = {
  'dev.attestry.verdict.first.v1': { data: TransitionData, subject: 'the image' },
  'dev.attestry.verdict.changed.v1': { data: TransitionData, subject: 'the image' },
  'dev.attestry.verdict.could-not-check.v1': { data: TransitionData, subject: 'the image' },
  'dev.attestry.verdict.checked-again.v1': { data: TransitionData, subject: 'the image' },
  'dev.attestry.evidence.attached.v1': { data: EvidenceData, subject: 'the image' },
  'dev.attestry.evidence.restored.v1': { data: EvidenceData, subject: 'the image' },
  'dev.attestry.evidence.copied.v1': { data: EvidenceData, subject: 'the image' },
  'dev.attestry.evidence.lost.v1': { data: EvidenceData, subject: 'the image' },
  'dev.attestry.signing.refused.v1': { data: RefusedData, subject: 'the image' },
  'dev.attestry.certificate.expiring.v1': { data: ExpiringData, subject: 'signers/<id>' },
  'dev.attestry.certificate.renewed.v1': { data: RenewedData, subject: 'signers/<id>' },
  'dev.attestry.trust.stale.v1': { data: StaleTrustData, subject: 'trusts/<id>' },
  'dev.attestry.intake.rate-exceeded.v1': { data: RateData, subject: 'registry/repository' },
  'dev.attestry.intake.unauthenticated.v1': { data: UnauthenticatedData, subject: 'sources/<id>' },
  'dev.attestry.registry.suspended.v1': { data: SuspendedData, subject: 'registries/<name>' },
  'dev.attestry.registry.resumed.v1': { data: ResumedData, subject: 'registries/<name>' },
  'dev.attestry.backfill.needed.v1': { data: BackfillNeededData, subject: 'registries/<name>' },
  'dev.attestry.job.dead.v1': { data: DeadJobData, subject: 'the image, or jobs/<lane>/<id>' },
  'dev.attestry.alert.firing.v1': { data: AlertData, subject: 'the image' },
  'dev.attestry.alert.resolved.v1': { data: AlertData, subject: 'the image' },
};
