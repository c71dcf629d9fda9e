import type { AppError } from '#model/errors.ts';

/** The jobs that one lane of this process runs now, each with the signal that stops it. */
export class RunningJobs {
  readonly #stops = new Map<string, AbortController>();
  #idle = Promise.withResolvers<void>();

  constructor() {
    this.#idle.resolve();
  }

  get size(): number {
    return this.#stops.size;
  }

  begin(jobId: string): AbortSignal {
    if (this.#stops.size === 0) this.#idle = Promise.withResolvers();
    const stop = new AbortController();
    this.#stops.set(jobId, stop);
    return stop.signal;
  }

  end(jobId: string): void {
    this.#stops.delete(jobId);
    if (this.#stops.size === 0) this.#idle.resolve();
  }

  abort(jobId: string, reason: AppError): void {
    this.#stops.get(jobId)?.abort(reason);
  }

  abortAll(reason: AppError): void {
    for (const stop of this.#stops.values()) stop.abort(reason);
  }

  /** Resolves when none runs. */
  idle(): Promise<void> {
    return this.#idle.promise;
  }
}
