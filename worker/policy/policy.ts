import type { Digest } from '#model/digest.ts';
import type { AppError } from '#model/errors.ts';
import type { EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { PolicyIdentity, Reason, Verdict } from '#model/verdict.ts';

/**
 * What stands at a location, and where: attestations under the tag `.att`, signatures of the image itself under `.sig`,
 * Sigstore bundles of either among the referrers: by what their manifests say (`bundle`), or by what the registry's list
 * says of them (`listed-bundle`), as Kyverno's type SigstoreBundle takes them.
 */
export type EvidenceKind = 'attestation' | 'image-signature' | 'bundle' | 'listed-bundle';

/** What a policy must have before it can judge an image. */
export interface PolicyNeeds {
  /** Evidence locations to read. Empty when the policy does not speak of the image. */
  readonly locations: readonly EvidenceLocation[];
  /** Locations whose image signatures are read; absent: none. */
  readonly signatures?: readonly EvidenceLocation[];
  /** Locations whose bundles are read; absent: none. */
  readonly bundles?: readonly EvidenceLocation[];
  /** Locations whose referrers are read by their list; absent: none. */
  readonly listed?: readonly EvidenceLocation[];
}

/** Evidence of a location: what is there, or that it could not be fetched. */
export type LocationContent =
  | {
      readonly ok: true;
      readonly evidence: readonly RawEvidence[];
      /** Of `listed-bundle`: how many referrers of any kind the registry lists. */
      readonly listed?: number;
      /** Of `listed-bundle`: bytes of the image's manifest, where a bundle signs them. */
      readonly artifact?: Uint8Array;
    }
  | { readonly ok: false; readonly error: AppError };

export interface EvaluationInput {
  /** The image as the pod names it, and the digest that it was resolved to once. */
  readonly image: ImageRef;
  readonly digest: Digest;
  readonly now: Date;
  /** Bytes of one layer that verifiers read at most (`COSIGN_MAX_ATTACHMENT_SIZE`); absent: no limit of its own. */
  readonly maxAttachmentBytes?: number;
  /** Content of a location that `needs` named, attestations if no kind is given; memoised by the caller. */
  content(location: EvidenceLocation, kind?: EvidenceKind): LocationContent;
}

/** A policy in the internal form: pure judgement, no I/O. */
export interface CompiledPolicy {
  readonly identity: PolicyIdentity;
  readonly emulates: string;
  needs(image: ImageRef, digest: Digest): PolicyNeeds;
  evaluate(input: EvaluationInput): Verdict;
}

/** A policy as a file held it. */
export interface LoadedPolicy extends CompiledPolicy {
  /** What is wrong with it before any image is looked at: malformed, refused, not supported, without a host. */
  readonly problems: readonly Reason[];
}
