import type { AlertData } from '#events/event-data.ts';
import type { CloudEvent } from '#model/event.ts';

/** An alert as Alertmanager's API v2 takes it (`postableAlert`). */
export interface PostableAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly startsAt?: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

/** How long an alert stays when it is not sent again: a few of the minutes after which it is. */
export const FIRING_MS = 4 * 60_000;

/** Things that happen once stay in sight for an hour. */
export const ONCE_MS = 60 * 60_000;

/**
 * The alert that an event is for; undefined when there is none, or when its time is over: a firing alert that was held
 * up says nothing about now, and a newer one is on its way.
 */
export function alertOf(
  event: CloudEvent,
  instance: { readonly id: string; readonly url?: string },
  extra: Readonly<Record<string, string>>,
  now: Date,
): PostableAlert | undefined {
  const named = alertKind(event);
  if (!named) return undefined;
  const at = Date.parse(event.time);
  const resolved = event.type === 'dev.attestry.alert.resolved.v1';
  const endsAt = resolved ? at : at + named.lastsMs;
  if (!resolved && endsAt <= now.getTime()) return undefined;
  return {
    labels: withoutEmpty({
      ...extra,
      alertname: named.name,
      severity: named.severity,
      instance: instance.id,
      ...named.labels,
    }),
    annotations: withoutEmpty({ summary: messageOf(event), ...named.annotations }),
    ...(named.startsAt === undefined ? {} : { startsAt: named.startsAt }),
    endsAt: new Date(endsAt).toISOString(),
    ...(instance.url === undefined ? {} : { generatorURL: instance.url }),
  };
}

interface AlertKind {
  readonly name: string;
  readonly severity: 'critical' | 'warning';
  readonly lastsMs: number;
  /** What makes it this alert and no other: no reason is among them, since a reason changes while the alert stays. */
  readonly labels: Readonly<Record<string, string | undefined>>;
  readonly annotations?: Readonly<Record<string, string | undefined>>;
  readonly startsAt?: string;
}

function alertKind(event: CloudEvent): AlertKind | undefined {
  const once = { severity: 'warning', lastsMs: ONCE_MS, startsAt: event.time } as const;
  const labels = { subject: event.subject };
  switch (event.type) {
    case 'dev.attestry.alert.firing.v1':
    case 'dev.attestry.alert.resolved.v1':
      return verdictAlert(event.data as AlertData);
    case 'dev.attestry.verdict.could-not-check.v1':
      return { ...once, name: 'AttestryCouldNotCheck', labels };
    case 'dev.attestry.evidence.lost.v1':
      return { ...once, name: 'AttestryEvidenceLost', labels };
    case 'dev.attestry.signing.refused.v1':
      return { ...once, name: 'AttestrySigningRefused', labels };
    case 'dev.attestry.certificate.expiring.v1':
      return { ...once, name: 'AttestryCertificateExpiring', labels, lastsMs: 25 * ONCE_MS };
    case 'dev.attestry.trust.stale.v1':
      return { ...once, name: 'AttestryTrustStale', labels, lastsMs: 25 * ONCE_MS };
    case 'dev.attestry.intake.rate-exceeded.v1':
      return { ...once, name: 'AttestryRateExceeded', labels };
    case 'dev.attestry.intake.unauthenticated.v1':
      return { ...once, name: 'AttestryUnauthenticated', labels };
    case 'dev.attestry.job.dead.v1':
      return { ...once, name: 'AttestryJobDead', labels };
    // Good news is no alert; a red verdict has its own, which is kept firing.
    case 'dev.attestry.verdict.first.v1':
    case 'dev.attestry.verdict.changed.v1':
    case 'dev.attestry.verdict.checked-again.v1':
    case 'dev.attestry.evidence.attached.v1':
    case 'dev.attestry.evidence.restored.v1':
    case 'dev.attestry.evidence.copied.v1':
    case 'dev.attestry.certificate.renewed.v1':
      return undefined;
  }
}

function verdictAlert({ image, policyUri, since, verdict }: AlertData): AlertKind {
  const reason = verdict?.reasons.find(({ code }) => code !== 'verified') ?? verdict?.reasons[0];
  return {
    name: 'AttestryVerdictFailed',
    severity: 'critical',
    lastsMs: FIRING_MS,
    labels: { image, policy: policyUri },
    annotations: { policy: verdict?.policy.name, reason: reason?.code, detail: reason?.message, next: reason?.next },
    ...(since === undefined ? {} : { startsAt: since }),
  };
}

function messageOf({ data, subject }: CloudEvent): string {
  const message = typeof data === 'object' && data !== null && 'message' in data ? data.message : undefined;
  return typeof message === 'string' ? message : subject;
}

/** Alertmanager refuses empty label values. */
function withoutEmpty(texts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = Object.entries(texts).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return Object.fromEntries(kept);
}
