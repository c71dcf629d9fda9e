/** Percentiles of some measurements, milliseconds. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export function latencyOf(measured: readonly number[]): Latency {
  const sorted = measured.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(Math.ceil(sorted.length * share) - 1, sorted.length - 1)] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

export function latencyLine(name: string, { count, p50, p95, p99 }: Latency): string {
  const cell = (ms: number) => `${Math.round(ms)} ms`.padStart(9);
  return `${name.padEnd(18)}${`${count}`.padStart(7)}${cell(p50)}${cell(p95)}${cell(p99)}`;
}
