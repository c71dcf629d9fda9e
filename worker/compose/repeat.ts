export interface Repeated extends AsyncDisposable {
  /** Runs now instead of at the next tick. */
  soon(): void;
}

/** Runs work again and again, one run at a time; a failure is told and the next tick comes. */
export function repeat(work: () => Promise<void>, everyMs: number, onError: (error: unknown) => void): Repeated {
  let running: Promise<void> | undefined;
  let again = false;

  async function run(): Promise<void> {
    do {
      again = false;
      await work().catch(onError);
    } while (again);
  }

  function tick(): void {
    running ??= run().finally(() => {
      running = undefined;
    });
  }

  const timer = setInterval(tick, everyMs);
  return {
    soon: () => {
      again = running !== undefined;
      tick();
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
