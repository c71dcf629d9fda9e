import { isDigest } from '#model/digest.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { PushEvent, SkipReason } from '#model/push-event.ts';
import type { PushedEvidence } from '#producer/intake/ports.ts';

/** cosign's tags of attestations and signatures, and that of the referrers where the registry lists none. */
const EVIDENCE_TAG = /^sha256-([0-9a-f]{64})(?:\.att|\.sig)?$/;

/** A push to a tag that lists evidence, ours or that of others; undefined for any other. */
export function pushedEvidence(
  { image, event }: { readonly image: ImageRef; readonly event: Pick<PushEvent, 'id'> },
  reason: SkipReason,
): PushedEvidence | undefined {
  const { registry, repository, tag = '', digest } = image;
  const subject = `sha256:${EVIDENCE_TAG.exec(tag)?.[1]}`;
  const isEvidence = reason === 'own-push' || reason === 'attestation-tag';
  if (!isEvidence || digest === undefined || !isDigest(subject)) return undefined;
  return { location: { registry, repository, digest: subject }, tag, push: { id: event.id, digest } };
}
