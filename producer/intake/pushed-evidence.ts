import { evidenceSubject } from '#model/evidence-tag.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { PushEvent, SkipReason } from '#model/push-event.ts';
import type { PushedEvidence } from '#producer/intake/ports.ts';

/** A push to a tag that lists evidence, ours or that of others; undefined for any other. */
export function pushedEvidence(
  { image, event }: { readonly image: ImageRef; readonly event: Pick<PushEvent, 'id'> },
  reason: SkipReason,
): PushedEvidence | undefined {
  const { registry, repository, tag = '', digest } = image;
  const subject = evidenceSubject(tag);
  const isEvidence = reason === 'own-push' || reason === 'attestation-tag';
  if (!isEvidence || digest === undefined || subject === undefined) return undefined;
  return { location: { registry, repository, digest: subject }, tag, push: { id: event.id, digest } };
}
