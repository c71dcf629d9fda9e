import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type Processor, Worker, type WorkerOptions } from 'bullmq';
import { within } from '#queue/within.ts';

const FIRST_REST_MS = 250;
const LONGEST_REST_MS = 5000;
/** The library waits for the end of a connection that may never have been made. */
const ABANDON_WITHIN_MS = 1000;

/**
 * A queue's worker that can be watched and that rests when Redis refuses it. The library asks again at once after an
 * error reply (memory full, read-only after a failover): thousands of errors a second, on the server that is in need.
 */
export class PollingWorker extends Worker {
  readonly #clock: () => number;
  readonly #stopped = new AbortController();
  #polledAt: number;
  #refusals = 0;

  /** @param clock monotonic milliseconds */
  constructor(name: string, processor: Processor, options: WorkerOptions, clock: () => number) {
    super(name, processor, { ...options, autorun: false });
    this.#clock = clock;
    this.#polledAt = clock();
  }

  /** When Redis was last asked for a job and answered; monotonic milliseconds. */
  get polledAt(): number {
    return this.#polledAt;
  }

  override close(force?: boolean): Promise<void> {
    this.#stopped.abort();
    return super.close(force);
  }

  /** Drops connections and timers without a word to Redis; for when an orderly end did not come in time. */
  async abandon(): Promise<void> {
    this.#stopped.abort();
    await this.lockManager.close();
    await within(this.disconnect(), ABANDON_WITHIN_MS).catch(() => false);
  }

  protected override async moveToActive(token: string, name?: string): Promise<Job> {
    try {
      const job = await super.moveToActive(token, name);
      this.#polledAt = this.#clock();
      this.#refusals = 0;
      return job;
    } catch (error) {
      const restMs = Math.min(FIRST_REST_MS * 2 ** this.#refusals, LONGEST_REST_MS);
      this.#refusals += 1;
      await sleep(restMs, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
      throw error;
    }
  }
}
