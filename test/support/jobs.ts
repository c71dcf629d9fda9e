import { sha256 } from '#model/digest.ts';
import type { DeliverJob, ImageJob } from '#model/job.ts';

/** A sound image job; the name makes it another image. */
export function imageJob(name: string, more: Partial<ImageJob> = {}): ImageJob {
  return {
    v: 1,
    kind: 'attest',
    image: { registry: 'registry.example', repository: 'team/app', digest: sha256(name) },
    source: 'ci',
    cause: 'push',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    receivedAt: '2026-03-01T10:00:00.000Z',
    ...more,
  };
}

export function deliverJob(id: string): DeliverJob {
  return {
    v: 1,
    sink: 'alerts',
    event: { specversion: '1.0', id, source: '/attestry', type: 'dev.attestry.verdict.changed.v1' },
  };
}
