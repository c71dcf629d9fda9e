import type { EnginePorts } from '#engine/engine-ports.ts';
import type { Installation } from '#jobs/installation.ts';
import type { HandedInStore } from '#model/handed-in.ts';
import type { ImageJob } from '#model/job.ts';
import type { Ledger, Outbox } from '#model/ledger.ts';
import type { EvidencePushes } from '#model/ports.ts';

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
  /** Enqueues a job on the lane of causes. */
  enqueue(job: ImageJob): Promise<unknown>;
  now(): Date;
}

export interface JobContext {
  readonly signal: AbortSignal;
}
