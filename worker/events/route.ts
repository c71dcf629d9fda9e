import type { CloudEvent, EventType } from '#model/event.ts';
import { matchesAny } from '#model/rule.ts';

/** Sent again each minute: told once by the verdict's own event, so only who asks for them gets them. */
export const REPEATED: readonly EventType[] = ['dev.attestry.alert.firing.v1', 'dev.attestry.alert.resolved.v1'];

/** What somebody should act on. */
export const ALERTING: readonly EventType[] = [
  'dev.attestry.alert.firing.v1',
  'dev.attestry.alert.resolved.v1',
  'dev.attestry.certificate.expiring.v1',
  'dev.attestry.trust.stale.v1',
  'dev.attestry.intake.rate-exceeded.v1',
  'dev.attestry.intake.unauthenticated.v1',
  'dev.attestry.job.dead.v1',
];

/** Whether a sink with these patterns wants an event; without patterns everything but the repeated alerts. */
export function wantsEvent(patterns: readonly string[] | undefined, event: Pick<CloudEvent, 'type'>): boolean {
  return patterns ? matchesAny(patterns, event.type) : !REPEATED.includes(event.type);
}
