export interface Stopwatch {
  time<Result>(step: string, work: () => Promise<Result>): Promise<Result>;
  /** Milliseconds by step. */
  took(): Readonly<Record<string, number>>;
}

/** Measures the steps of a job. */
export function createStopwatch(now: () => Date): Stopwatch {
  const took: Record<string, number> = {};
  return {
    took: () => ({ ...took }),
    time: async (step, work) => {
      const start = now().getTime();
      try {
        return await work();
      } finally {
        took[step] = (took[step] ?? 0) + now().getTime() - start;
      }
    },
  };
}
