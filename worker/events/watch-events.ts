import { oneLine } from '#events/bounded.ts';
import { cloudEvent, type EventContext } from '#events/cloud-event.ts';
import type {
  DeadJobData,
  ExpiringData,
  RateData,
  RenewedData,
  StaleTrustData,
  UnauthenticatedData,
} from '#events/event-data.ts';
import { wordExpiring } from '#events/wording.ts';
import type { CloudEvent } from '#model/event.ts';
import type { Lane } from '#model/job.ts';

const DAY_MS = 86_400_000;

export interface CertificateFacts {
  /** Of the signer. */
  readonly id: string;
  readonly fingerprint: string;
  /** Its subject. */
  readonly certificate: string;
  readonly notAfter: Date;
}

/** A signing certificate is close to its end. One event for each threshold, milliseconds before it. */
export function certificateExpiring(
  signer: CertificateFacts & { readonly threshold: number },
  context: EventContext,
): CloudEvent<ExpiringData> {
  const { id, fingerprint, certificate } = signer;
  const notAfter = signer.notAfter.toISOString();
  const daysLeft = Math.floor((signer.notAfter.getTime() - context.now.getTime()) / DAY_MS);
  const threshold = Math.round(signer.threshold / DAY_MS);
  const message = wordExpiring(id, certificate, notAfter, daysLeft);
  const about = { subject: `signers/${id}`, identity: [id, fingerprint, `${threshold}`] };
  const data = { message, signer: id, fingerprint, certificate, notAfter, daysLeft, threshold };
  return cloudEvent('dev.attestry.certificate.expiring.v1', about, data, context);
}

/** A new certificate took over. Each worker finds it by itself; all tell the same event. */
export function certificateRenewed(
  signer: CertificateFacts & { readonly previous: string },
  context: EventContext,
): CloudEvent<RenewedData> {
  const { id, fingerprint, certificate, previous } = signer;
  const notAfter = signer.notAfter.toISOString();
  const message = oneLine(`signer ${id} has a new certificate (${certificate}), until ${notAfter}`);
  const about = { subject: `signers/${id}`, identity: [id, previous, fingerprint] };
  return cloudEvent(
    'dev.attestry.certificate.renewed.v1',
    about,
    { message, signer: id, fingerprint, certificate, notAfter, previous },
    context,
  );
}

/** Trust material could not be fetched. One event a day, and one more when nothing is left that counts. */
export function trustStale(
  trust: { readonly id: string; readonly code: string; readonly reason: string; readonly expires?: Date },
  context: EventContext,
): CloudEvent<StaleTrustData> {
  const { id, code, reason } = trust;
  const expires = trust.expires?.toISOString();
  const state = expires === undefined ? 'nothing can be judged under it' : `what there is counts until ${expires}`;
  const message = oneLine(`the material of trust ${id} could not be fetched, and ${state}: ${reason}`);
  const day = Math.floor(context.now.getTime() / DAY_MS);
  const about = { subject: `trusts/${id}`, identity: [id, `${day}`, expires === undefined ? 'none' : 'kept'] };
  const data = { message, trust: id, code, reason, ...(expires === undefined ? {} : { expires }) };
  return cloudEvent('dev.attestry.trust.stale.v1', about, data, context);
}

/** A repository sends more pushes than its guard allows. One event an hour. */
export function rateExceeded(
  excess: { readonly source: string; readonly repository: string; readonly limit: number },
  context: EventContext,
): CloudEvent<RateData> {
  const { source, repository, limit } = excess;
  const message = oneLine(`${repository}: more than ${limit} pushes an hour from source ${source}; jobs are held back`);
  const about = { subject: repository, identity: [source, repository, hourOf(context.now)] };
  return cloudEvent('dev.attestry.intake.rate-exceeded.v1', about, { message, source, repository, limit }, context);
}

/** A source sends deliveries with a wrong credential; some senders are stuck until it is mended. One event an hour. */
export function intakeUnauthenticated(source: string, context: EventContext): CloudEvent<UnauthenticatedData> {
  const message = `deliveries to source ${source} bear a wrong credential: its sender may be stuck`;
  const about = { subject: `sources/${source}`, identity: [source, hourOf(context.now)] };
  return cloudEvent('dev.attestry.intake.unauthenticated.v1', about, { message, source }, context);
}

export interface DeadJobFacts {
  readonly lane: Lane;
  readonly jobId: string;
  /** `registry/repository[:tag][@digest]`; absent for deliveries. */
  readonly image?: string;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
}

/**
 * A job ended in the dead-letter list. Not to be told of the delivery of such an event: a sink that is gone would make
 * an endless chain of them.
 */
export function jobDead(job: DeadJobFacts, context: EventContext): CloudEvent<DeadJobData> {
  const { lane, jobId, image, code, reason, attempts } = job;
  const what = image ?? `the delivery ${jobId}`;
  const message = oneLine(`${what}: given up after ${attempts === 1 ? '1 try' : `${attempts} tries`}: ${reason}`);
  const data = {
    message,
    lane,
    jobId,
    ...(image === undefined ? {} : { image }),
    code,
    reason: oneLine(reason),
    attempts,
  };
  const about = { subject: image ?? `jobs/${lane}/${jobId}`, identity: [lane, jobId, `${attempts}`] };
  return cloudEvent('dev.attestry.job.dead.v1', about, data, context);
}

function hourOf(moment: Date): string {
  return moment.toISOString().slice(0, 13);
}
