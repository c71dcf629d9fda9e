import type { EnginePorts } from '#engine/engine-ports.ts';
import type { Installation } from '#jobs/installation.ts';
import type { HandedInStore } from '#model/handed-in.ts';
import type { ImageJob } from '#model/job.ts';
import type { Ledger, Outbox, ReferrerSubjects } from '#model/ledger.ts';
import type { EvidencePushes } from '#model/ports.ts';
import type { TagNames } from '#model/removal.ts';

/** What jobs work with. */
export interface JobPorts {
  readonly engine: EnginePorts;
  readonly installation: Installation;
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  /** What was handed in to be signed. */
  readonly handedIn: HandedInStore;
  /** What registries told of pushes to the tags that list evidence. */
  readonly evidencePushes: EvidencePushes;
  /** When an image that could not be checked is tried again, milliseconds. */
  readonly retryErrorMs: number;
  /** What tags of known images named last. */
  readonly tagNames: TagNames;
  readonly referrers: ReferrerSubjects;
  /** Enqueues a job on the lane of causes, to start no earlier than after a delay. */
  enqueue(job: ImageJob, options?: { readonly delayMs?: number }): Promise<unknown>;
  now(): Date;
}

export interface JobContext {
  readonly signal: AbortSignal;
}
