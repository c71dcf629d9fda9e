/** CloudEvents 1.0 in its JSON form, with the distributed tracing extension. */
export interface CloudEvent<Data = unknown> {
  readonly specversion: '1.0';
  readonly id: string;
  /** URI-reference of this installation. */
  readonly source: string;
  readonly type: EventType;
  /** `registry/repository@digest` of the image. */
  readonly subject: string;
  /** ISO 8601. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly traceparent?: string;
  readonly data: Data;
}

/** Every event type, and what it tells. Names are prefixed `dev.attestry.` on the wire. */
export const EVENTS = {
  'dev.attestry.verdict.first.v1': 'The first verdict of a policy on an image.',
  'dev.attestry.verdict.changed.v1': 'The verdict of a policy on an image changed.',
  'dev.attestry.verdict.could-not-check.v1': 'An image could not be checked; its last known state stays.',
  'dev.attestry.verdict.checked-again.v1': 'An image that could not be checked was checked again.',
  'dev.attestry.evidence.attached.v1': 'Evidence was made, signed and attached.',
  'dev.attestry.evidence.restored.v1': 'Our own evidence had lapsed and was attached again.',
  'dev.attestry.evidence.copied.v1': 'Evidence of the same image in another repository was copied, not made anew.',
  'dev.attestry.evidence.lost.v1': 'Evidence that we wrote was destroyed by another writer.',
  'dev.attestry.image.untagged.v1': 'A tag does not name a known image any more; the image is still there.',
  'dev.attestry.image.deleted.v1': 'A known image is not in the registry any more.',
  'dev.attestry.signing.refused.v1': 'The rule of an image does not let this push be signed.',
  'dev.attestry.certificate.expiring.v1': 'A signing certificate is close to its end.',
  'dev.attestry.certificate.renewed.v1': 'A new certificate took over from the one before it.',
  'dev.attestry.trust.stale.v1': 'Trust material could not be fetched; what there is counts until it expires.',
  'dev.attestry.intake.rate-exceeded.v1': 'A repository sends more pushes than its guard allows.',
  'dev.attestry.intake.unauthenticated.v1': 'A source sends deliveries with a wrong credential.',
  'dev.attestry.source.silent.v1': 'A source that used to speak is silent for longer than is usual.',
  'dev.attestry.source.heard-again.v1': 'A source that was silent speaks again.',
  'dev.attestry.registry.suspended.v1': 'A registry failed again and again, and is left alone for a while.',
  'dev.attestry.registry.resumed.v1': 'A registry that was left alone answers again.',
  'dev.attestry.sweep.failing.v1': 'The sweep of a registry cannot come to its end.',
  'dev.attestry.sweep.recovered.v1': 'The sweep of a registry came to its end, after it could not.',
  'dev.attestry.backfill.needed.v1': 'A registry has more images without evidence than are attested without asking.',
  'dev.attestry.job.dead.v1': 'A job ended in the dead-letter list.',
  'dev.attestry.alert.firing.v1': 'An alert is open; sent again until it is resolved.',
  'dev.attestry.alert.resolved.v1': 'An alert is resolved.',
} as const;

export type EventType = keyof typeof EVENTS;
