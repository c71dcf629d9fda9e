import type { Descriptor } from '#model/descriptor.ts';

/**
 * What a registry told us about one image, in our words but not yet judged: names and digests are as claimed. A hint
 * only; the digest is read again from the registry that the source is bound to.
 */
export interface PushEvent {
  /** The sender's id of the event; the same on a redelivery. Empty when the sender gives none. */
  readonly id: string;
  /** When the sender says that it happened, as it wrote it. */
  readonly timestamp?: string;
  /**
   * Every registry host that the event claims; each must be one of the source's registry. Empty when the sender names
   * none: then the source's registry is meant. Never dialled.
   */
  readonly hosts: readonly string[];
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly mediaType?: string;
  /** Config descriptor and layers, or children, when the event itself shows them. Media types only: all that is read. */
  readonly references?: readonly Pick<Descriptor, 'mediaType'>[];
  /** What the event itself proves about the manifest beyond its references. */
  readonly proven?: 'has-subject' | 'artifact-not-image';
  readonly actor?: string;
}

/**
 * Why an item of a delivery is not enqueued. The order is the order of judgement: the first that applies wins
 * (docs/reference/intake.md).
 */
export const SKIP_REASONS = {
  unauthenticated: 'missing or wrong credential',
  'too-large': 'over the size limit',
  malformed: 'not JSON, or not the type that the sender documents',
  handshake: 'a ping or a confirmation of the subscription',
  delete: 'something was deleted',
  'not-a-push': 'authenticated, and nothing to do',
  'not-successful': 'the sender reports that the push did not succeed',
  'blob-event': 'a layer or config, not a manifest',
  'unsupported-event': 'an event of another kind',
  'missing-field': 'required data is absent',
  'missing-host': 'the image reference names no registry',
  inconsistent: 'tag and digest disagree on the repository',
  'host-not-allowed': 'the claimed registry is not the one bound to this source',
  'invalid-repository': 'breaks the OCI grammar of repository names',
  'invalid-tag': 'breaks the OCI grammar of tags',
  'invalid-digest': 'breaks the OCI grammar of digests',
  'own-push': 'we pushed this digest ourselves',
  'attestation-tag': 'the tag is that of a signature, attestation or referrers index',
  'has-subject': 'the manifest refers to another one',
  'artifact-not-image': 'the manifest is not an image',
  'digest-only': 'an untagged push, and the source skips those',
  duplicate: 'the same image was already accepted',
} as const;

export type SkipReason = keyof typeof SKIP_REASONS;
