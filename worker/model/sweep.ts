import type { Digest } from '#model/digest.ts';
import type { RepositoryRef } from '#model/image-ref.ts';

/** What a sweep found at a tag, and when it enqueued the job for it. */
export interface SweptTag {
  readonly digest: Digest;
  readonly enqueuedAt: Date;
}

/** That the sweep of a registry was stopped by an error, and was since then. */
export interface SweepStop {
  /** When the first of these stops was. */
  readonly since: Date;
  /** Stops in a row at which it came no further. */
  readonly stops: number;
  /** Left alone until then. */
  readonly retryAt: Date;
  /** Somebody was told. */
  readonly told: boolean;
  /** The sweep came to its end after all. */
  readonly over: boolean;
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
  /** The sweep under way is whole; a stop that was noted is over. */
  end(registry: string): Promise<void>;
  stopped(registry: string): Promise<SweepStop | undefined>;
  /** Undefined: forgets it. */
  noteStop(registry: string, stop: SweepStop | undefined): Promise<void>;
  /** One worker sweeps a registry at a time; false: another one does. Held until the time is over, or given back. */
  hold(registry: string, token: string, ms: number): Promise<boolean>;
  giveBack(registry: string, token: string): Promise<void>;
}
