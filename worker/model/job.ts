import * as z from 'zod/mini';
import { type Digest, isDigest, sha256Hex } from '#model/digest.ts';
import type { ImageRef } from '#model/image-ref.ts';

/** Lanes are queues: each has its own concurrency, and a slow one never delays another. */
export const LANES = ['push', 'cause', 'backfill', 'deliver'] as const;
export type Lane = (typeof LANES)[number];

/** Why a job exists. */
export const CAUSES = [
  'push',
  'api',
  'schedule',
  'lapse',
  'evidence-pushed',
  'evidence-deleted',
  'removed',
  'policy-changed',
  'key-changed',
  'certificate-expiring',
  'certificate-revoked',
  'replay',
  'sweep',
  'backfill',
  'demand',
] as const;
export type Cause = (typeof CAUSES)[number];

export const JOB_VERSION = 1;

const DigestText = z.custom<Digest>((value) => isDigest(value), 'a digest');

const JobImage = z.object({
  registry: z.string(),
  repository: z.string(),
  tag: z.optional(z.string()),
  digest: z.optional(DigestText),
});

/**
 * One announcement of an image: what the tag patterns and `when` of rules are held against. Several announcements of one
 * digest are one job, and the one that a rule allows may be any of them.
 */
export const Announcement = z.object({
  source: z.string(),
  actor: z.optional(z.string()),
  tag: z.optional(z.string()),
  unproven: z.optional(z.boolean()),
});
export type Announcement = z.infer<typeof Announcement>;

/** The payload of a job on the lanes push, cause and backfill. */
export const ImageJob = z.object({
  v: z.literal(JOB_VERSION),
  /**
   * `attest` makes what is missing and verifies; `verify` only verifies, and restores when the rule says so; `sign` signs
   * what was handed in for the image; `mend` lists again what other writers lost of the evidence in this repository on
   * this digest; `look` asks the registry whether the tag and the digest are still there.
   */
  kind: z.enum(['attest', 'verify', 'sign', 'mend', 'look']),
  image: JobImage,
  /** The configured source of the delivery, `api`, or `scheduler`. */
  source: z.string(),
  /** Who pushed, only from a source whose deliveries are authenticated. */
  actor: z.optional(z.string()),
  /** Tag and digest are a sender's word, not the registry's: the tag counts only when the registry says the same. */
  unproven: z.optional(z.boolean()),
  cause: z.enum(CAUSES),
  /** W3C Trace Context. */
  traceparent: z.string(),
  /** ISO 8601; the start of the push-to-attested measurement. */
  receivedAt: z.string(),
  /** Make the evidence anew even where it is present; replaces our own only. */
  force: z.optional(z.boolean()),
});
export type ImageJob = z.infer<typeof ImageJob>;

export function announcementOf({ source, actor, unproven, image: { tag } }: ImageJob): Announcement {
  return {
    source,
    ...(actor === undefined ? {} : { actor }),
    ...(tag === undefined ? {} : { tag }),
    ...(unproven ? { unproven } : {}),
  };
}

/** The payload of a job on the lane deliver: one event to one sink. */
export const DeliverJob = z.object({
  v: z.literal(JOB_VERSION),
  sink: z.string(),
  /** A CloudEvents 1.0 event in its JSON form. */
  event: z.record(z.string(), z.unknown()),
});
export type DeliverJob = z.infer<typeof DeliverJob>;

/**
 * The deduplication id of an image job: one job for one digest in one repository, however often it is announced. The
 * tag counts only when the sender gave no digest. It is no BullMQ job id: those may not be reused while a finished job
 * is kept, and refuse a colon.
 */
export function deduplicationId(kind: ImageJob['kind'], image: ImageRef): string {
  // What one tag names is another question than what another one does.
  const tagged = kind === 'look' && image.tag !== undefined && image.digest !== undefined ? ` tag ${image.tag}` : '';
  const what = `${image.digest ?? `tag ${image.tag ?? 'latest'}`}${tagged}`;
  return sha256Hex([kind, image.registry, image.repository, what].join('\n'));
}
