import type { Digest } from '#model/digest.ts';
import type { RepositoryRef } from '#model/image-ref.ts';

/** What a sweep found at a tag, and when it enqueued the job for it. */
export interface SweptTag {
  readonly digest: Digest;
  readonly enqueuedAt: Date;
}

/** What sweeps of catalogues remember: between two of them, and of one that was stopped. */
export interface SweepMemory {
  tags(repository: RepositoryRef): Promise<ReadonlyMap<string, SweptTag>>;
  note(repository: RepositoryRef, tag: string, swept: SweptTag): Promise<void>;
  forget(repository: RepositoryRef, tag: string): Promise<void>;
  /** When the last whole sweep of a registry began. */
  lastBegun(registry: string): Promise<Date | undefined>;
  /** Begins a sweep, or goes on with one that did not end; answers when it began. */
  begin(registry: string, now: Date): Promise<Date>;
  /** A repository of the sweep under way is done. */
  done(registry: string, repository: string): Promise<void>;
  isDone(registry: string, repository: string): Promise<boolean>;
  end(registry: string): Promise<void>;
  /** One worker sweeps a registry at a time; false: another one does. Held until the time is over, or given back. */
  hold(registry: string, token: string, ms: number): Promise<boolean>;
  giveBack(registry: string, token: string): Promise<void>;
}
