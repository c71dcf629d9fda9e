import type { Digest } from '#model/digest.ts';
import type { EvidenceLocation } from '#model/evidence.ts';
import type { RepositoryRef } from '#model/image-ref.ts';

/** The right to write to one evidence location. */
export interface Lease {
  /** Fencing token; grows with every acquisition of the same location. */
  readonly fence: number;
  /** Aborted when the lease is lost. */
  readonly signal: AbortSignal;
  /**
   * Confirms, with a round trip, that this lease still is the newest one. Called just before a PUT.
   * @throws AppError `lock-lost`
   */
  check(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** One writer per evidence location, across processes. */
export interface EvidenceLock {
  /**
   * Waits up to `waitMs` for the location.
   * @throws AppError `lock-lost` when another writer still holds it; the signal's reason when it is aborted.
   */
  acquire(location: EvidenceLocation, waitMs: number, signal?: AbortSignal): Promise<Lease>;
}

/** In which repositories a digest was seen: one image may be promoted through many. */
export interface SeenDigests {
  note(image: RepositoryRef & { readonly digest: Digest }): Promise<void>;
  places(digest: Digest): Promise<readonly RepositoryRef[]>;
}

/** Digests of manifests that we are about to push or have pushed: their events are our own echo. */
export interface OwnPushes {
  /**
   * Called before the PUT: a registry may send its event before it answers.
   * @param over of a list of evidence at a tag: what stood there when it was made.
   */
  announce(repository: string, digest: Digest, over?: Digest | 'nothing'): Promise<void>;
  /** `repository` is `registry/path`. */
  has(repository: string, digest: Digest): Promise<boolean>;
  /** What a list of ours was announced to come in place of; undefined where nobody said, or it is not ours. */
  over(repository: string, digest: Digest): Promise<Digest | 'nothing' | undefined>;
}

/** A push to a tag that lists evidence, as the registry told it. */
export interface EvidencePush {
  /** The sender's id of the event; the same on a redelivery. */
  readonly id: string;
  /** Of the list that was pushed. */
  readonly digest: Digest;
}

/**
 * The latest pushes to the tags that list evidence, ours and others', in the order in which the registry told them: what
 * tells of a list that was written over unseen.
 */
export interface EvidencePushes {
  /** Resolves when it outlives this process; answers the push to that tag before it. */
  note(location: EvidenceLocation, tag: string, push: EvidencePush): Promise<EvidencePush | undefined>;
  /** Oldest first, each once. */
  list(location: EvidenceLocation, tag: string): Promise<readonly EvidencePush[]>;
  drop(location: EvidenceLocation, tag: string, pushes: readonly EvidencePush[]): Promise<void>;
}
