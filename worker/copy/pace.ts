/** Keeps what is asked of each registry within a budget. */
export interface Pace {
  /** Waits until the registry may be asked once more. */
  turn(registry: string, signal?: AbortSignal): Promise<void>;
  /** Nobody asks the registry before that many milliseconds have passed. */
  pause(registry: string, ms: number): void;
  /** Waits until that many bytes may move at each of the registries: what a transfer reads from one, the other takes. */
  bytes(registries: readonly string[], count: number, signal?: AbortSignal): Promise<void>;
}

export interface PaceOptions {
  /** Of each registry; absent: no limit. */
  readonly requestsPerSecond?: number;
  /** Of each registry, what is read from it and written to it together; absent: no limit. */
  readonly bytesPerSecond?: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Monotonic milliseconds from which on the next request and the next bytes may go. */
interface Gate {
  next: number;
  nextBytes: number;
  pausedUntil: number;
}

export function createPace({ requestsPerSecond, bytesPerSecond, now, sleep }: PaceOptions): Pace {
  const gates = new Map<string, Gate>();

  function gateOf(registry: string): Gate {
    const gate = gates.get(registry) ?? { next: 0, nextBytes: 0, pausedUntil: 0 };
    gates.set(registry, gate);
    return gate;
  }

  async function waitUntil(at: number, signal: AbortSignal | undefined): Promise<void> {
    const ms = at - now();
    if (ms > 0) await sleep(ms, signal);
  }

  return {
    async turn(registry, signal) {
      const gate = gateOf(registry);
      // While it waits a registry may ask for more time.
      while (gate.pausedUntil > now()) await waitUntil(gate.pausedUntil, signal);
      if (requestsPerSecond === undefined) return;
      const at = Math.max(gate.next, now());
      gate.next = at + 1000 / requestsPerSecond;
      await waitUntil(at, signal);
    },
    pause(registry, ms) {
      const gate = gateOf(registry);
      gate.pausedUntil = Math.max(gate.pausedUntil, now() + ms);
    },
    async bytes(registries, count, signal) {
      if (bytesPerSecond === undefined) return;
      const began = now();
      let from = began;
      for (const registry of registries) {
        const gate = gateOf(registry);
        const at = Math.max(gate.nextBytes, began);
        gate.nextBytes = at + (count * 1000) / bytesPerSecond;
        from = Math.max(from, at);
      }
      await waitUntil(from, signal);
    },
  };
}
