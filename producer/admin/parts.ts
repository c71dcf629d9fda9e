import type { ImageJob } from '#model/job.ts';
import type { Ledger } from '#model/ledger.ts';

/** Jobs that ended for good, with their reasons. */
export interface DeadLetters {
  /** Newest first. */
  list(query: { readonly limit: number }): Promise<readonly object[]>;
  /** Enqueues the job again; false when there is none by this id. */
  replay(id: string): Promise<boolean>;
}

/** What the operators' routes work on. */
export interface AdminParts {
  readonly ledger: Pick<Ledger, 'latest' | 'history' | 'removals' | 'makeDue' | 'images'>;
  readonly queue: {
    enqueueImage(
      lane: 'cause',
      job: ImageJob,
    ): Promise<{ readonly id: string; readonly state: 'queued' | 'duplicate' }>;
  };
  readonly deadLetters: DeadLetters;
  /** The configured name of a registry by any host that means it. */
  readonly registryOf: (host: string) => string | undefined;
  /** The uri of a configured policy, by its id or the uri itself. */
  readonly policyUri: (idOrUri: string) => string | undefined;
  readonly now: () => Date;
  readonly traceparent: (incoming: string | undefined) => string;
}
