import type { CloudEvent } from '#model/event.ts';

/** Delivers one event to one place. Retries are the queue's. */
export interface Sink {
  readonly id: string;
  /** Whether this sink wants an event of this kind. */
  wants(event: CloudEvent): boolean;
  /** @throws AppError `sink-unavailable` (try again) or `sink-rejected` (never). */
  deliver(event: CloudEvent, signal: AbortSignal): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
