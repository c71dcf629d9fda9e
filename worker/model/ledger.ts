import type { Digest } from '#model/digest.ts';
import type { CloudEvent } from '#model/event.ts';
import type { EvidenceLocation, WrittenEvidence } from '#model/evidence.ts';
import type { RepositoryRef } from '#model/image-ref.ts';
import type { RemovalRecord } from '#model/removal.ts';
import type { Verdict } from '#model/verdict.ts';

/** What the ledger holds for one image and policy. `image` is `registry/repository@digest`. */
export interface StateRecord {
  readonly image: string;
  readonly policyUri: string;
  /** Grows by one with each change; part of the id of the event that tells of it. */
  readonly sequence: number;
  /** The last verdict that is not `error`. Absent while the image could never be checked. */
  readonly verdict?: Verdict;
  /** ISO 8601: since when the state holds. */
  readonly since?: string;
  readonly lastCheckedAt: string;
  /** Open while the newest check ended in `error`; the last known state stays beside it. */
  readonly couldNotCheck?: { readonly since: string; readonly verdict: Verdict };
}

/** One observed change, as kept in the history and told in an event. */
export interface Transition {
  readonly image: string;
  readonly policyUri: string;
  readonly sequence: number;
  readonly change: 'first' | 'changed' | 'could-not-check' | 'checked-again';
  readonly at: string;
  readonly verdict: Verdict;
  readonly previous?: Pick<Verdict, 'outcome' | 'reasons'>;
}

export interface Observation {
  /** `registry/repository@digest`. */
  readonly image: string;
  readonly tag?: string;
  readonly verdict: Verdict;
  readonly at: Date;
  /** When this image and policy are to be checked again. */
  readonly nextDue: Date;
}

export interface DueItem {
  readonly image: string;
  readonly tag?: string;
  readonly policyUri: string;
  readonly due: Date;
}

/** An alert that stays open, and is sent again, until the state is good or the image is gone. */
export interface OpenAlert {
  readonly image: string;
  readonly policyUri: string;
  readonly since: string;
  readonly verdict: Verdict;
}

export interface Coverage {
  readonly images: number;
  /** By outcome of the worst known state of each image. */
  readonly byOutcome: Readonly<Record<string, number>>;
}

/**
 * What is known per image and policy: latest, history, due, and the outbox of what is still to be told. State and
 * outbox entry are written together or not at all, so that a change is told once, across a crash too.
 */
export interface Ledger extends RemovalRecord {
  /** Records one verdict; answers the change that it made, or undefined when the state is the same. */
  record(observation: Observation): Promise<Transition | undefined>;
  latest(image: string): Promise<readonly StateRecord[]>;
  /** Newest first; at most `limit` entries. */
  history(image: string, limit: number): Promise<readonly Transition[]>;
  /** What is due at `now`, oldest first. Items stay due until they are recorded or deferred. */
  due(now: Date, limit: number): Promise<readonly DueItem[]>;
  /** Moves an item's due time, e.g. once its job is enqueued. */
  defer(item: DueItem, until: Date): Promise<void>;
  /** Makes every known image (of one policy, when given) due now; answers how many. */
  makeDue(filter: { policyUri?: string; image?: string }, now: Date): Promise<number>;
  openAlerts(limit: number): Promise<readonly OpenAlert[]>;
  coverage(): Promise<Coverage>;
  /** Known images by name, in pages; `cursor` undefined starts. */
  images(cursor: string | undefined, limit: number): Promise<{ images: readonly string[]; cursor?: string }>;
  /**
   * Drops an image that no longer exists in the registry, or one policy of it that no longer applies; its history is
   * kept.
   */
  forget(image: string, at: Date, policyUri?: string): Promise<void>;
}

/** Events on their way out. Appended with the state that they tell of; removed when each sink has its delivery job. */
export interface Outbox {
  /** Appends an event that is not a state change; the same id twice is one entry. */
  append(image: string, event: CloudEvent): Promise<void>;
  /** Hands pending entries to `deliver`, and removes each once that resolves; answers how many. */
  relay(deliver: (entry: OutboxEntry) => Promise<void>, limit: number): Promise<number>;
}

export type OutboxEntry =
  | { readonly kind: 'transition'; readonly transition: Transition }
  | { readonly kind: 'event'; readonly event: CloudEvent };

/** What this installation wrote, per evidence location. */
export interface WrittenEvidenceStore {
  list(location: EvidenceLocation): Promise<readonly WrittenEvidence[]>;
  /** Replaces the record of a location: before a PUT the union of old and new, after it what stands. */
  replace(location: EvidenceLocation, written: readonly WrittenEvidence[]): Promise<void>;
}

/** What our own referrers are about. */
export interface ReferrerSubjects {
  /** By the digest of the manifest that lists the evidence; undefined for what is not ours. */
  subjectOf(place: RepositoryRef, manifest: Digest): Promise<Digest | undefined>;
}
